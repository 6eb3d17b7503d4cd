import type { RatioKind } from "./results.ts";
import { type Sample, type Target, takeSample } from "./sample.ts";

/** One thing that is measured, again and again. */
export interface Row {
  readonly title: RowTitle;
  measure(): Promise<Sample>;
  /** One a round. */
  readonly samples: Sample[];
}

/** What a row is about. */
export interface RowTitle {
  /** Unique. */
  readonly id: string;
  readonly name: string;
  /** What it is compared with, by its id. */
  readonly beside?: { readonly id: string; readonly by: RatioKind };
  /** The row whose latency is taken off. */
  readonly addedTo?: string;
}

/** How long things take. */
export interface Effort {
  /** Every row is measured once a round. */
  readonly rounds: number;
  /** Of one measurement at full load. */
  readonly loadMs: number;
  /** Of one measurement at a given rate. */
  readonly pacedMs: number;
  /** How long a server is under load before anything counts, so that the compiler is done. */
  readonly warmUpMs: number;
}

/** Puts a target under load for a while. */
export async function warmUp(target: Target, { warmUpMs }: Effort): Promise<void> {
  const endMs = performance.now() + warmUpMs;
  while (performance.now() < endMs) await takeSample(target, { calls: FIRST_CALLS });
}

/** A row at full load: as many calls as fit into the time. It warms up with the first measurements. */
export function loadRow(title: RowTitle, target: Target, { loadMs }: Effort): Row {
  let calls = FIRST_CALLS;
  return {
    title,
    samples: [],
    async measure() {
      const sample = await takeSample(target, { calls });
      calls = Math.max(MIN_CALLS, Math.ceil((sample.perSecond * loadMs) / 1000));
      return sample;
    },
  };
}

/** A row at a rate. */
export function pacedRow(
  title: RowTitle,
  target: Target,
  { perSecond, pacedMs }: { readonly perSecond: number; readonly pacedMs: number },
): Row {
  const calls = Math.ceil((perSecond * pacedMs) / 1000);
  return { title, samples: [], measure: () => takeSample(target, { calls, perSecond }) };
}

/** Rounds that do not count: the first finds out how many calls fit, and lets the compiler begin. */
export const WARM_UPS = 2;

/** Measures rows in turn, so that a noisy neighbour hits all of them alike. */
export async function measureRows(
  rows: readonly Row[],
  { rounds, warmUps = WARM_UPS }: { readonly rounds: number; readonly warmUps?: number },
  log: (line: string) => void,
): Promise<void> {
  for (let round = 1 - warmUps; round <= rounds; round++) {
    log(round < 1 ? "  warming up ..." : `  round ${round} of ${rounds} ...`);
    for (const row of rows) {
      const sample = await row.measure();
      if (round >= 1) row.samples.push(sample);
    }
  }
}

const FIRST_CALLS = 500;
const MIN_CALLS = 100;
