/** Limits of what unknown keys can cause, whoever makes them up. */
export interface KeyHintLimits {
  /** Least time between two reports of one key set, in milliseconds. */
  readonly perKeySetMs: number;
  /** Reports at once, of all key sets together. */
  readonly burst: number;
  /** Reports a second in the long run. */
  readonly perSecond: number;
}

const DEFAULT_LIMITS: KeyHintLimits = { perKeySetMs: 10_000, burst: 20, perSecond: 1 };

/** Key sets that are not fetched can't be fetched again. */
const FETCHED = /^remote-/;

/**
 * Tells the controller of tokens whose key is in no key set that the server has: the issuer may have a new one. Only the name of the key set
 * is told, never what stands in the token. A report too many is dropped: the next such token makes another.
 */
export class KeyHints {
  readonly #limits: KeyHintLimits;
  readonly #steadyMs: () => number;
  readonly #toldAtMs = new Map<string, number>();
  #tokens: number;
  #filledAtMs: number;
  #tell: ((keySet: string) => void) | null = null;

  /** @param steadyMs a clock that never steps, in milliseconds */
  constructor(steadyMs: () => number, limits: KeyHintLimits = DEFAULT_LIMITS) {
    this.#limits = limits;
    this.#steadyMs = steadyMs;
    this.#tokens = limits.burst;
    this.#filledAtMs = steadyMs();
  }

  /** Says how the controller is told; null while there is no stream to it. */
  connect(tell: ((keySet: string) => void) | null): void {
    this.#tell = tell;
  }

  /** Called on the request path. @param keySet `KeySet.name` */
  report(keySet: string): void {
    if (this.#tell === null || !FETCHED.test(keySet)) return;
    const nowMs = this.#steadyMs();
    if (nowMs - (this.#toldAtMs.get(keySet) ?? Number.NEGATIVE_INFINITY) < this.#limits.perKeySetMs) return;
    if (!this.#take(nowMs)) return;
    this.#toldAtMs.set(keySet, nowMs);
    this.#tell(keySet);
  }

  #take(nowMs: number): boolean {
    const { burst, perSecond } = this.#limits;
    this.#tokens = Math.min(burst, this.#tokens + ((nowMs - this.#filledAtMs) / 1000) * perSecond);
    this.#filledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
