import { mkdirSync, writeFileSync } from "node:fs";
import { format, parseArgs } from "node:util";
import { checkBars, toBarTable } from "./bars.ts";
import { type BenchEffort, runBench } from "./bench.ts";
import { drawCharts } from "./charts.ts";
import { describeMachine } from "./machine.ts";
import { benchOther } from "./other-authorizer.ts";
import { toPage } from "./page.ts";
import { toTable } from "./table.ts";

const FULL: BenchEffort = {
  ...{ rounds: 7, loadMs: 400, pacedRounds: 9, pacedMs: 1500, warmUpMs: 1500 },
  ...{ tokens: 100_000, inProcessChecks: 10_000 },
};
const QUICK: BenchEffort = {
  ...{ rounds: 3, loadMs: 100, pacedRounds: 1, pacedMs: 500, warmUpMs: 300 },
  ...{ tokens: 5000, inProcessChecks: 2000 },
};

const { values } = parseArgs({
  options: {
    /** Rougher figures in a minute; the page is not written. */
    quick: { type: "boolean", default: false },
    /** `host:port` of another authorizer, and its process. */
    authz: { type: "string", default: "" },
    "authz-pid": { type: "string", default: "" },
    /** Where the page and its charts go. */
    docs: { type: "string", default: "" },
  },
});
process.setMaxListeners(100); // each server under test ends with this process
const effort = values.quick ? QUICK : FULL;
const log = (line: string): void => void process.stderr.write(`${line}\n`);

try {
  if (values.authz === "") await benchAll();
  else await benchAnother(values.authz);
  process.exit(0);
} catch (error) {
  // What another authorizer does wrong is said in one line; a fault here is shown whole.
  log(values.authz !== "" && error instanceof Error ? `bench: ${error.message}` : format(error));
  process.exit(1);
}

async function benchAnother(address: string): Promise<void> {
  const pid = values["authz-pid"] === "" ? null : Number(values["authz-pid"]);
  process.stdout.write(toTable([await benchOther({ address, pid }, effort, log)]));
}

async function benchAll(): Promise<void> {
  const startedMs = performance.now();
  const result = await runBench(effort, log);
  const bars = checkBars(result);
  const page = toPage({
    ...{ result, bars, effort, charts: drawCharts(result.groups) },
    ...{ machine: await describeMachine(), date: new Date() },
  });
  process.stdout.write(`${toTable(result.groups)}\n${toBarTable(bars)}`);
  log(`took ${((performance.now() - startedMs) / 1000).toFixed(0)} s`);
  const directory = values.docs === "" ? null : values.docs;
  if (directory === null) return;
  mkdirSync(`${directory}/performance`, { recursive: true });
  writeFileSync(`${directory}/performance.md`, page);
  for (const { file, svg } of drawCharts(result.groups)) writeFileSync(`${directory}/performance/${file}`, svg);
}
