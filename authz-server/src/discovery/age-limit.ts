import { PolicyAge } from "./policy-age.ts";

export interface AgeLimitOptions {
  readonly maxAgeMs: number;
  /** A clock that never jumps. */
  readonly monotonicMs: () => number;
  /** Called once each time that the policy set becomes older than `maxAgeMs`. */
  readonly onTooOld: () => void;
  /** Called when the controller is lost that wanted the set until now. */
  readonly onLost: () => void;
}

/** Longer waits make Node's timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Watches the age of the policy set and says when it has become too old: by a timer, so that requests pay nothing. */
export class AgeLimit {
  readonly #options: AgeLimitOptions;
  readonly #age: PolicyAge;
  #timer: NodeJS.Timeout | undefined;
  #isTooOld = false;

  constructor(options: AgeLimitOptions) {
    this.#options = options;
    this.#age = new PolicyAge(options.monotonicMs);
  }

  /** The set is older than allowed. */
  get isTooOld(): boolean {
    return this.#isTooOld;
  }

  /** The controller wanted the set that long ago. */
  confirmed(agoMs: number): void {
    this.#age.confirmed(this.#options.monotonicMs() - Math.max(0, agoMs));
    this.#look();
  }

  connected(isConnected: boolean): void {
    if (!isConnected && this.#age.ms === 0) this.#options.onLost();
    this.#age.connected(isConnected);
    this.#look();
  }

  refused(): void {
    this.#age.refused();
    this.#look();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #look(): void {
    clearTimeout(this.#timer);
    const ageMs = this.#age.ms;
    if (ageMs === null) return;
    const leftMs = this.#options.maxAgeMs - ageMs;
    const wasTooOld = this.#isTooOld;
    this.#isTooOld = leftMs <= 0;
    if (this.#isTooOld) {
      if (!wasTooOld) this.#options.onTooOld();
      return;
    }
    this.#timer = setTimeout(() => this.#look(), Math.min(Math.ceil(leftMs), MAX_TIMER_MS));
    this.#timer.unref();
  }
}
