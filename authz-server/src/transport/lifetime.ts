import { ConnectionError, ERROR, type ErrorCode } from "./http2.ts";
import type { TransportLimits } from "./limits.ts";

/** What a connection's age asks for. */
export type Due = "nothing" | "ping" | "leave";

/** The clocks of one connection: since when it is silent, idle, old, or waits for the rest of something. Milliseconds. */
export class Lifetime {
  readonly #limits: TransportLimits;
  readonly #openedMs: number;
  readonly #maxAgeMs: number;
  #hasAck = false;
  #activeMs: number;
  #heardMs: number;
  #pingedMs: number | null = null;
  #partialSinceMs: number | null = null;
  #unsentSinceMs: number | null = null;

  /** @param random in [0, 1) */
  constructor(limits: TransportLimits, nowMs: number, random: number) {
    this.#limits = limits;
    this.#openedMs = this.#activeMs = this.#heardMs = nowMs;
    this.#maxAgeMs = limits.maxConnectionAgeMs * (0.9 + 0.2 * random);
  }

  /** Bytes came from the peer. */
  heard(nowMs: number): void {
    this.#heardMs = nowMs;
    this.#pingedMs = null;
  }

  /** The peer has taken note of our SETTINGS. */
  acknowledged(): void {
    this.#hasAck = true;
  }

  /** A call was answered. */
  answered(nowMs: number): void {
    this.#activeMs = nowMs;
  }

  /** A frame, or a block of headers, has not arrived in full. Counts from the first time after `whole`. */
  partial(nowMs: number): void {
    this.#partialSinceMs ??= nowMs;
  }

  whole(): void {
    this.#partialSinceMs = null;
  }

  /** The peer does not read what it is sent. Counts from the first time after `drained`. */
  unsent(nowMs: number): void {
    this.#unsentSinceMs ??= nowMs;
  }

  drained(): void {
    this.#unsentSinceMs = null;
  }

  /** @throws {ConnectionError} for what takes too long */
  check(nowMs: number, calls: number): Due {
    const limits = this.#limits;
    const age = (sinceMs: number | null): number => (sinceMs === null ? 0 : nowMs - sinceMs);
    if (!this.#hasAck && age(this.#openedMs) > limits.headerTimeoutMs) {
      throw tooSlow("no SETTINGS, or no answer to ours", ERROR.settingsTimeout);
    }
    if (age(this.#partialSinceMs) > limits.headerTimeoutMs) throw tooSlow("a frame that does not end");
    if (age(this.#unsentSinceMs) > limits.unsentTimeoutMs) {
      throw new ConnectionError(ERROR.enhanceYourCalm, "unread_answers", "answers that are not read");
    }
    if (age(this.#pingedMs) > limits.keepaliveTimeoutMs) throw tooSlow("no answer to PING");
    const isIdle = calls === 0 && age(this.#activeMs) > limits.maxConnectionIdleMs;
    if (isIdle || age(this.#openedMs) > this.#maxAgeMs) return "leave";
    if (this.#pingedMs !== null || age(this.#heardMs) <= limits.keepaliveMs) return "nothing";
    this.#pingedMs = nowMs;
    return "ping";
  }
}

function tooSlow(message: string, code: ErrorCode = ERROR.enhanceYourCalm): ConnectionError {
  return new ConnectionError(code, "timeout", message);
}
