import { availableParallelism, totalmem } from "node:os";
import process from "node:process";
import type { WorkersConfig } from "@gatehouse/authz-server";
import type { LogLevel } from "./log.ts";

/** What there is for us; in a container, its limits. */
export interface Machine {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** The memory is limited to less than the machine has: more than that is not slow but ends the process. */
  readonly isLimited: boolean;
}

/**
 * The workers of a command.
 * @param count null: one for each CPU, as far as the memory goes
 * @returns null for one: this process then answers itself
 */
export function toWorkers(count: number | null, logLevel: LogLevel, machine: Machine = ours()): WorkersConfig | null {
  const { cpus, memoryMiB, isLimited } = machine;
  const fitting = Math.floor((memoryMiB - PRIMARY_MIB) / WORKER_MIB);
  const workers = count ?? Math.max(1, Math.min(cpus, fitting));
  if (workers === 1) return null;
  // The heap of each process by itself would be that of the whole container.
  const heapMiB = Math.max(MIN_HEAP_MIB, Math.floor((memoryMiB * 0.75) / (workers + 1)));
  const execArgv = [YOUNG_SPACE, ...(isLimited ? [`--max-old-space-size=${heapMiB}`] : [])];
  return { count: workers, entry: ENTRY, args: [logLevel], execArgv };
}

/** What a full worker takes: 10,000 policies and 100,000 tokens of 600 bytes. */
const WORKER_MIB = 320;
const PRIMARY_MIB = 192;
/** With less Node does nothing but collect garbage. */
const MIN_HEAP_MIB = 128;

/** MiB. What a check leaves behind then fits into the cache of the CPU, and the process takes some 20 MiB less. */
const YOUNG_SPACE = "--max-semi-space-size=4";

/** A clone runs from source, an image from what was built of it. */
const ENTRY = new URL(import.meta.url.endsWith(".ts") ? "./check-worker.ts" : "./check-worker.js", import.meta.url);

function ours(): Machine {
  const limit = process.constrainedMemory();
  const isLimited = limit > 0 && limit < totalmem();
  return { cpus: availableParallelism(), memoryMiB: (isLimited ? limit : totalmem()) / 2 ** 20, isLimited };
}
