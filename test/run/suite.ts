/**
 * Runs one suite under a time budget and records how it went.
 * Usage: node test/run/suite.ts NAME BUDGET_SECONDS COMMAND [ARGUMENT...]
 * The command finds in GATEHOUSE_REPORT where a vitest JSON report may be put. A command that writes none counts as one check.
 */
import { spawn } from "node:child_process";
import { mkdirSync, rmSync } from "node:fs";
import { reportPath, type SuiteResult, vitestPath, writeSuiteResult } from "./report.ts";
import { countTests } from "./vitest-report.ts";

const [name = "", budget = "", command = "", ...args] = process.argv.slice(2);
const budgetSec = Number(budget);
if (command === "" || !(budgetSec > 0)) {
  process.stderr.write("usage: suite.ts NAME BUDGET_SECONDS COMMAND [ARGUMENT...]\n");
  process.exit(2);
}
const result = await runSuite();
writeSuiteResult(result);
process.stdout.write(`${describe(result)}\n`);
process.exitCode = result.ok ? 0 : 1;

async function runSuite(): Promise<SuiteResult> {
  mkdirSync(".reports", { recursive: true });
  rmSync(reportPath(name), { force: true });
  rmSync(vitestPath(name), { force: true });
  process.stdout.write(`\n== ${name}\n`);
  const startedMs = Date.now();
  const end = await runCommand();
  const seconds = Math.round((Date.now() - startedMs) / 100) / 10;
  const counted = countTests(vitestPath(name)) ?? { passed: end.ok ? 1 : 0, failed: end.ok ? 0 : 1, skipped: 0 };
  const ok = end.ok && counted.failed === 0;
  // A runner that dies after its report was written must still show as a failure in the sum.
  const failed = ok ? 0 : Math.max(1, counted.failed);
  return { name, ok, seconds, budgetSec, ending: end.text, ...counted, failed };
}

/** Runs the command in a process group of its own, so that the budget ends all that it started, and nothing else. */
function runCommand(): Promise<{ ok: boolean; text: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      stdio: ["ignore", "inherit", "inherit"],
      detached: true,
      env: { ...process.env, GATEHOUSE_REPORT: vitestPath(name) },
    });
    let timedOut = false;
    const endGroup = (signal: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, signal);
      } catch {
        // Already gone.
      }
    };
    const term = setTimeout(() => {
      timedOut = true;
      endGroup("SIGTERM");
    }, budgetSec * 1000);
    const kill = setTimeout(() => endGroup("SIGKILL"), budgetSec * 1000 + 5000);
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => endGroup(signal));
    const clearTimers = (): void => {
      clearTimeout(term);
      clearTimeout(kill);
    };
    child.on("error", (error) => {
      clearTimers();
      resolve({ ok: false, text: `could not start: ${error.message}` });
    });
    child.on("exit", (code, signal) => {
      clearTimers();
      endGroup("SIGKILL"); // what the command left behind
      if (timedOut) resolve({ ok: false, text: `took longer than its budget of ${budgetSec} s and was ended` });
      else resolve({ ok: code === 0, text: code === 0 ? "" : `ended by ${signal ?? `exit code ${code}`}` });
    });
  });
}

function describe(suite: SuiteResult): string {
  const counts = `${suite.passed} passed, ${suite.failed} failed${suite.skipped > 0 ? `, ${suite.skipped} skipped` : ""}`;
  const ending = suite.ending === "" ? "" : `: ${suite.ending}`;
  return `== ${suite.name} ${suite.ok ? "ok" : "FAILED"}${ending}. ${counts} in ${suite.seconds} s of ${suite.budgetSec} s`;
}
