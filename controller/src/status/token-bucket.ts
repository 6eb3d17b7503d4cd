/** Lets so many through at once and then so many a second. */
export class TokenBucket {
  readonly #burst: number;
  readonly #perSec: number;
  #tokens: number;
  #atMs: number;

  /** @param nowMs steady, here and in all calls */
  constructor(burst: number, perSec: number, nowMs: number) {
    this.#burst = burst;
    this.#perSec = perSec;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Tokens that are there. */
  available(nowMs: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + (Math.max(0, nowMs - this.#atMs) / 1000) * this.#perSec);
    this.#atMs = nowMs;
    return this.#tokens;
  }

  /** @returns whether there was one to take */
  take(nowMs: number): boolean {
    if (this.available(nowMs) < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
