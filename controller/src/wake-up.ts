/** How long to wait after a change for more of them, so that one burst of events is one push. */
export interface HoldOff {
  /** A pause of that length ends the burst, in milliseconds. */
  readonly quietMs: number;
  /** No change waits longer than that, in milliseconds. */
  readonly maxMs: number;
}

/** Wakes the loop: notifications that come while nobody waits end the next wait at once. */
export class WakeUp {
  #isNotified = false;
  #wake: (() => void) | null = null;

  notify(): void {
    this.#isNotified = true;
    this.#wake?.();
  }

  /** Resolves at a notification, or when the signal aborts. */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#waitAtMost(null, signal);
  }

  /** Resolves when notifications pause, at the latest after `maxMs`. */
  async settle({ quietMs, maxMs }: HoldOff, signal: AbortSignal): Promise<void> {
    const deadline = performance.now() + maxMs;
    for (let left = maxMs; left > 0 && !signal.aborted; left = deadline - performance.now()) {
      const wasNotified = await this.#waitAtMost(Math.min(quietMs, left), signal);
      if (!wasNotified) return;
    }
  }

  async #waitAtMost(timeoutMs: number | null, signal: AbortSignal): Promise<boolean> {
    if (!this.#isNotified && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = timeoutMs === null ? undefined : setTimeout(done, timeoutMs);
        signal.addEventListener("abort", done);
        this.#wake = done;
        function done(): void {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        }
      });
      this.#wake = null;
    }
    const wasNotified = this.#isNotified;
    this.#isNotified = false;
    return wasNotified;
  }
}
