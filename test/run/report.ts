import { readdirSync, readFileSync, writeFileSync } from "node:fs";

/** How one suite went. */
export interface SuiteResult {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly budgetSec: number;
  /** Why it ended early, or empty. */
  readonly ending: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

const FOLDER = ".reports";

/** Where the result of a suite is kept, relative to the root of the repository. */
export function reportPath(name: string): string {
  return `${FOLDER}/${name}.suite.json`;
}

/** Where vitest puts its JSON report of a suite. */
export function vitestPath(name: string): string {
  return `${FOLDER}/${name}.vitest.json`;
}

export function writeSuiteResult(result: SuiteResult): void {
  writeFileSync(reportPath(result.name), `${JSON.stringify(result)}\n`);
}

/** Reads the results of all suites that ran since the folder was emptied, in the order in which they ended. */
export function readSuiteResults(): readonly SuiteResult[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".suite.json"))
    .map((file): SuiteResult => JSON.parse(readFileSync(`${FOLDER}/${file}`, "utf8")));
}
