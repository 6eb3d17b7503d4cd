/**
 * Prints what the suites of a run took and, as the last line, what they counted: `N passed, N failed, N skipped`.
 * Ends with 1 if anything failed, or if nothing ran.
 */
import { readSuiteResults } from "./report.ts";

const suites = [...readSuiteResults()].sort((a, b) => b.seconds - a.seconds);
const sum = (count: "passed" | "failed" | "skipped" | "seconds"): number =>
  suites.reduce((total, suite) => total + suite[count], 0);

process.stdout.write("\n");
for (const suite of suites) {
  const state = suite.ok ? "ok" : `FAILED${suite.ending === "" ? "" : `: ${suite.ending}`}`;
  process.stdout.write(
    `${suite.name.padEnd(16)} ${String(suite.seconds).padStart(7)} s of ${suite.budgetSec} s  ${state}\n`,
  );
}
process.stdout.write(`${"total".padEnd(16)} ${sum("seconds").toFixed(1).padStart(7)} s\n\n`);
const skipped = sum("skipped");
process.stdout.write(`${sum("passed")} passed, ${sum("failed")} failed${skipped > 0 ? `, ${skipped} skipped` : ""}\n`);
process.exitCode = sum("failed") > 0 || sum("passed") === 0 ? 1 : 0;
