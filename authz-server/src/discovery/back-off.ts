/** How long to wait between attempts. */
export interface BackOff {
  readonly baseMs: number;
  readonly capMs: number;
}

/** 100 ms doubling up to 30 s. */
export const DEFAULT_BACK_OFF: BackOff = { baseMs: 100, capMs: 30_000 };

/**
 * The wait before the next attempt: doubles with each failure up to the cap, spread over its upper half so that
 * servers that lost the same controller do not come back in step.
 * @param failures in a row, from 1
 * @param random from 0 to 1
 * @returns milliseconds
 */
export function backOffMs(backOff: BackOff, failures: number, random: number): number {
  const fullMs = Math.min(backOff.capMs, backOff.baseMs * 2 ** Math.min(failures - 1, 30));
  return fullMs * (0.5 + random / 2);
}
