/** Time as refreshing needs it; tests bring their own. */
export interface Clock {
  /** Wall clock in milliseconds since the epoch: what is written to disk and shown. It may step. */
  wallMs(): number;
  /** Milliseconds since some fixed moment; never steps. Ages are measured with it. */
  steadyMs(): number;
  /** Calls back once, unless it is cancelled before. @returns cancels it */
  after(delayMs: number, callback: () => void): () => void;
}

/** The machine's. Waiting for it does not keep a process alive. */
export const SYSTEM_CLOCK: Clock = {
  wallMs: Date.now,
  steadyMs: () => performance.now(),
  after(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
