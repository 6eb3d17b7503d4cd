import { existsSync, readFileSync } from "node:fs";

/** Tests of a vitest JSON report. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly unknown[] }[];
}

/** Counts the tests of a report; undefined if there is none. A file that could not be loaded is one failed test. */
export function countTests(path: string): TestCounts | undefined {
  if (!existsSync(path)) return undefined;
  const report: VitestReport = JSON.parse(readFileSync(path, "utf8"));
  const unloadable = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable.length,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}
