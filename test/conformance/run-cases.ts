import type { CaseRequest, ConformanceCase } from "./case.ts";

/** How the requests of a scenario are put to the policy. */
export type Way = "in process" | "through Envoy";

/** Both ways, in the order of reports. */
export const WAYS: readonly Way[] = ["in process", "through Envoy"];

/** What became of one request. */
export interface Outcome {
  readonly scenario: ConformanceCase;
  readonly request: CaseRequest;
  readonly way: Way;
  /** Empty: as expected. */
  readonly differences: readonly string[];
}

/** How many outcomes of a group were as expected. */
export interface Tally {
  readonly passed: number;
  readonly total: number;
}

/** Counts the outcomes of one group and way. */
export function tally(outcomes: readonly Outcome[], group: string, way: Way): Tally {
  const counted = outcomes.filter((outcome) => outcome.scenario.group === group && outcome.way === way);
  return { passed: counted.filter(({ differences }) => differences.length === 0).length, total: counted.length };
}

/** `group/scenario: request (way)` and a line a difference. */
export function describeOutcome({ scenario, request, way, differences }: Outcome): string {
  return [`${scenario.id}: ${request.name} (${way})`, ...differences.map((line) => `    ${line}`)].join("\n");
}
