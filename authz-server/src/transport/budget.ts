import type { Allowance } from "./limits.ts";

/** A token bucket: how much more of something a peer may do. Starts full. */
export class Budget {
  readonly #allowance: Allowance;
  #left: number;
  #filledAtMs: number;

  constructor(allowance: Allowance, nowMs: number) {
    this.#allowance = allowance;
    this.#left = allowance.burst;
    this.#filledAtMs = nowMs;
  }

  /** Takes one. @returns whether there was one */
  take(nowMs: number): boolean {
    this.#left -= 1;
    if (this.#left >= 0) return true;
    // Only an empty bucket looks at the clock.
    const { burst, perSecond } = this.#allowance;
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#filledAtMs) / 1000) * perSecond);
    this.#filledAtMs = nowMs;
    return this.#left >= 0;
  }

  /** A call was answered. */
  earn(): void {
    const { burst, perCall } = this.#allowance;
    this.#left = Math.min(burst, this.#left + perCall);
  }
}
