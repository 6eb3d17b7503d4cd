import type { RequestAttributes } from "../authz/attributes.ts";
import type { PreparedRule } from "./rule-matcher.ts";
import type { RuleSet } from "./rule-set.ts";

/** All rules of one action that apply to a workload, from the policies of several targets. */
export class WorkloadRules {
  readonly #sets: readonly RuleSet[];

  constructor(sets: readonly RuleSet[]) {
    this.#sets = sets.filter(({ size }) => size > 0);
  }

  get isEmpty(): boolean {
    return this.#sets.length === 0;
  }

  /** The first rule in order that one of the readings matches. */
  first(readings: readonly RequestAttributes[]): PreparedRule | undefined {
    let found: PreparedRule | undefined;
    for (const reading of readings) {
      for (const set of this.#sets) found = set.first(reading, found?.order ?? Number.POSITIVE_INFINITY) ?? found;
    }
    return found;
  }

  /** Whether each reading matches some rule; for one reading it need not be the rule of another. */
  matchEach(readings: readonly RequestAttributes[]): boolean {
    return readings.every((reading) => this.#sets.some((set) => set.first(reading, Number.POSITIVE_INFINITY)));
  }

  /** All rules that one of the readings matches, in order. */
  all(readings: readonly RequestAttributes[]): readonly PreparedRule[] {
    const found = new Set<PreparedRule>();
    for (const reading of readings) for (const set of this.#sets) set.collect(reading, found);
    return [...found].sort((a, b) => a.order - b.order);
  }
}
