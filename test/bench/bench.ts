import { measureDecisions } from "./decision-rows.ts";
import { startDirectRows } from "./direct-rows.ts";
import { startEnvoyFreshRows } from "./envoy-fresh-rows.ts";
import { startEnvoyRows } from "./envoy-rows.ts";
import { startKeyFlood } from "./key-flood.ts";
import { type MemoryUse, measureMemory } from "./memory.ts";
import { startPolicyRows } from "./policy-rows.ts";
import { type ResultGroup, toResults } from "./results.ts";
import { type Effort, measureRows, type Row } from "./row.ts";
import { Running } from "./running.ts";
import { LOAD_CORE, pin } from "./server-process.ts";

/** How much is measured. */
export interface BenchEffort extends Effort {
  /** Rows at a given rate are measured so often. */
  readonly pacedRounds: number;
  /** Tokens that the server of the memory row sees. */
  readonly tokens: number;
  /** In-process checks of one measurement. */
  readonly inProcessChecks: number;
}

/** What was measured. */
export interface BenchResult {
  readonly groups: readonly ResultGroup[];
  readonly memory: MemoryResult;
  readonly isPinned: boolean;
}

/** Resident memory of a server with so many policies, that has seen so many tokens. */
export interface MemoryResult extends MemoryUse {
  readonly policies: number;
  readonly tokens: number;
}

/** Measures everything. Servers have one core for themselves, this process makes the load on the other. */
export async function runBench(effort: BenchEffort, log: (line: string) => void): Promise<BenchResult> {
  const isPinned = pin(process.pid, LOAD_CORE);
  const groups: ResultGroup[] = [];
  const measure = async (title: string, rows: readonly Row[], kind: "full" | "paced"): Promise<void> => {
    log(title);
    // What runs at a rate was at full load before.
    const { rounds, pacedRounds } = effort;
    await measureRows(rows, kind === "full" ? { rounds } : { rounds: pacedRounds, warmUps: 1 }, log);
    groups.push(toResults(title, rows, kind));
  };
  await whileRunning(async (running) => {
    await measure("Asked directly, on one core", await startDirectRows(effort, running), "full");
  });
  await whileRunning(async (running) => {
    const { full, paced } = await startPolicyRows(effort, running);
    await measure("Few policies and many", full, "full");
    await measure("Few policies and many, at a rate", paced, "paced");
  });
  await whileRunning(async (running) => {
    const { full, paced } = await startEnvoyRows(effort, running);
    await measure("Through Envoy: CPU of Envoy + server", full, "full");
    await measure("Through Envoy at a rate: latency added to an Envoy that asks nobody", paced, "paced");
  });
  await whileRunning(async (running) => {
    await measure("Through Envoy, fresh tokens", await startEnvoyFreshRows(effort, running), "full");
  });
  await whileRunning(async (running) => {
    const { goodAlone, goodBeside, floodAlone } = await startKeyFlood(effort, running);
    await measure("A flood of tokens with random key ids", [goodAlone, goodBeside, floodAlone], "full");
  });
  log("The decision alone");
  groups.push(await measureDecisions(effort));
  log("Memory");
  const policies = 10_000;
  const { tokens } = effort;
  const memory = { policies, tokens, ...(await measureMemory(policies, tokens)) };
  return { groups, memory, isPinned };
}

async function whileRunning(work: (running: Running) => Promise<void>): Promise<void> {
  const running = new Running();
  try {
    await work(running);
  } finally {
    await running.stop();
  }
}
