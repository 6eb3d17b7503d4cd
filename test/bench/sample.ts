import type { Arrivals } from "./call-source.ts";
import type { LoadResult } from "./load.ts";
import { cpuMicroseconds } from "./server-process.ts";

/** One measurement of one row. */
export interface Sample {
  /** By the clock; of use only where the load is as much as can be. */
  readonly perSecond: number;
  /** CPU of one check, in microseconds, of each process of the row. */
  readonly cpu: readonly number[];
  readonly latency: Percentiles;
}

/** In milliseconds. */
export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Something that can be put under load. */
export interface Target {
  /** Whose CPU is counted. */
  readonly pids: readonly number[];
  /** Makes the load. @throws when a call fails */
  load(arrivals: Arrivals): Promise<LoadResult>;
  /** Answers may differ in size. */
  readonly isForeign?: boolean;
}

/** Loads a target once. @throws when it fails, or does not answer all calls alike */
export async function takeSample({ pids, load, isForeign }: Target, arrivals: Arrivals): Promise<Sample> {
  const before = pids.map(cpuMicroseconds);
  const { requests, elapsedMs, answerSizes, latenciesMs } = await load(arrivals);
  const cpu = pids.map((pid, index) => (cpuMicroseconds(pid) - (before[index] ?? 0)) / requests);
  if (answerSizes.length !== 1 && isForeign !== true) {
    throw new Error(`answers of different sizes: ${answerSizes.join(", ")} bytes`);
  }
  const percentile = (share: number): number => latenciesMs[Math.floor(latenciesMs.length * share)] ?? Number.NaN;
  const latency = { p50: percentile(0.5), p99: percentile(0.99), p999: percentile(0.999) };
  return { perSecond: requests / (elapsedMs / 1000), cpu, latency };
}
