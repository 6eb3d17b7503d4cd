/** Ever longer pauses, jittered, so that many clients of one API server don't come back all at once. */
export interface BackOff {
  /** How long to wait now, in milliseconds; the next pause is up to twice as long. @param atLeastMs what the server asked for */
  next(atLeastMs: number | null): number;
  /** All is well again. */
  reset(): void;
}

export interface BackOffOptions {
  readonly firstMs: number;
  readonly maxMs: number;
  /** From 0 to 1. Default: Math.random. */
  readonly random?: (() => number) | undefined;
}

/** Each pause is between half and the whole of `firstMs`, doubled each time up to `maxMs`. */
export function createBackOff({ firstMs, maxMs, random = Math.random }: BackOffOptions): BackOff {
  let failures = 0;
  return {
    next(atLeastMs) {
      const limit = Math.min(maxMs, firstMs * 2 ** Math.min(failures, 30));
      failures += 1;
      return Math.max(limit / 2 + (limit / 2) * random(), Math.min(atLeastMs ?? 0, maxMs));
    },
    reset() {
      failures = 0;
    },
  };
}
