import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { countTests } from "./vitest-report.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "gatehouse-report-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a file that could not be loaded counts as a failed test", () => {
  const path = join(folder, "report.json");
  const testResults = [
    { status: "passed", assertionResults: [{}, {}] },
    { status: "failed", assertionResults: [] },
  ];
  const counts = { numPassedTests: 2, numFailedTests: 0, numPendingTests: 1, numTodoTests: 0 };
  writeFileSync(path, JSON.stringify({ ...counts, testResults }));
  expect(countTests(path)).toEqual({ passed: 2, failed: 1, skipped: 1 });
});

test("a run without report has no counts", () => {
  expect(countTests(join(folder, "none.json"))).toBeUndefined();
});
