/** How long ago the controller was last known to want the policy set that is enforced. */
export class PolicyAge {
  readonly #nowMs: () => number;
  #confirmedAtMs: number | null = null;
  #isConnected = false;
  #isCurrent = false;

  /** @param nowMs of whichever clock the times are given by */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** null before the first set. While the stream that confirmed the set is open, no news is good news: 0. */
  get ms(): number | null {
    if (this.#confirmedAtMs === null) return null;
    return this.#isCurrent ? 0 : Math.max(0, this.#nowMs() - this.#confirmedAtMs);
  }

  /** The controller wanted the set at that time. */
  confirmed(atMs: number): void {
    this.#confirmedAtMs = atMs;
    this.#isCurrent = this.#isConnected;
  }

  connected(isConnected: boolean): void {
    this.#isConnected = isConnected;
    this.#outdate();
  }

  /** The controller wants something that this server could not take. */
  refused(): void {
    this.#outdate();
  }

  #outdate(): void {
    if (this.#isCurrent) this.#confirmedAtMs = this.#nowMs();
    this.#isCurrent = false;
  }
}
