/** When keys are fetched again. All in milliseconds. */
export interface RefreshTimes {
  /** After a success, unless the server says less. */
  readonly intervalMs: number;
  /** Keys that could not be fetched again for so long verify nothing any more. */
  readonly maxStaleMs: number;
}

/** Least time between two scheduled fetches after a success, and between two that unknown keys caused. */
export const MIN_INTERVAL_MS = 30_000;
const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 60_000;

/**
 * How long to wait after a success.
 * @param freshMs how long the server says that its answer may be used; null: it does not say
 * @param random from 0 to 1; spreads replicas that started together
 */
export function afterSuccessMs(intervalMs: number, freshMs: number | null, random: number): number {
  const bounded = Math.min(intervalMs, freshMs ?? intervalMs);
  return Math.max(bounded * (0.9 + 0.1 * random), MIN_INTERVAL_MS * (1 + 0.1 * random));
}

/** How long to wait after so many failures in a row, 1 or more: 1 s, doubling up to 60 s. @param random from 0 to 1 */
export function afterFailureMs(failures: number, random: number): number {
  return Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 10)) * (0.8 + 0.2 * random);
}
