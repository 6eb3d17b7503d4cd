/** How many calls a load is made of, and when they are made. */
export interface Arrivals {
  readonly calls: number;
  /** Calls a second at random times, whether earlier ones are answered or not; left out: each as soon as there is a free place. */
  readonly perSecond?: number | undefined;
  /** Looks so often for calls that are due; left out: all the time, which takes a core for itself and tells latency exactly. */
  readonly tickMs?: number;
  /** Ends it early. */
  readonly signal?: AbortSignal;
}

/** The calls of one load: which are due, how long they took, and how large their answers were. */
export class CallSource {
  readonly #calls: number;
  readonly #tickMs: number | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #meanGapMs: number;
  readonly #random = createRandom();
  readonly #latenciesMs: Float64Array;
  readonly #answerSizes = new Set<number>();
  #taken = 0;
  #answered = 0;
  #dueMs: number;

  constructor({ calls, perSecond, tickMs, signal }: Arrivals) {
    this.#calls = calls;
    this.#tickMs = tickMs;
    this.#signal = signal;
    this.#meanGapMs = perSecond === undefined ? 0 : 1000 / perSecond;
    this.#latenciesMs = new Float64Array(calls);
    this.#dueMs = performance.now();
  }

  /** Calls taken so far. */
  get taken(): number {
    return this.#taken;
  }

  /** None is left. */
  get isEmpty(): boolean {
    return this.#taken === this.#calls || this.#signal?.aborted === true;
  }

  /** Whether the next call is to be made. */
  isDue(nowMs: number): boolean {
    return !this.isEmpty && this.#dueMs <= nowMs;
  }

  /** Takes the next call. @returns when it was due: waiting for a free place is waiting too */
  take(nowMs: number): number {
    this.#taken += 1;
    if (this.#meanGapMs === 0) return nowMs;
    const dueMs = this.#dueMs;
    this.#dueMs -= Math.log(1 - this.#random()) * this.#meanGapMs;
    return dueMs;
  }

  /** A call was answered. @param sinceMs what `take` said */
  answered(sinceMs: number, nowMs: number, answerBytes: number): void {
    this.#latenciesMs[this.#answered++] = nowMs - sinceMs;
    this.#answerSizes.add(answerBytes);
  }

  /** The distinct ones. */
  answerSizes(): readonly number[] {
    return [...this.#answerSizes];
  }

  /** In ascending order. */
  latenciesMs(): Float64Array {
    return this.#latenciesMs.slice(0, this.#answered).sort();
  }

  /** Calls `fill` again and again, and once after all calls are taken, if they come at times of their own. */
  drive(fill: () => void): void {
    if (this.#meanGapMs === 0) return;
    const isLast = this.isEmpty;
    fill();
    if (isLast) return;
    if (this.#tickMs === undefined) setImmediate(() => this.drive(fill));
    else setTimeout(() => this.drive(fill), this.#tickMs);
  }
}

/** The same numbers in each run, so that all servers get the same arrivals (xorshift32). */
function createRandom(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
