import type { ObjectKey } from "../resources/object.ts";
import { TokenBucket } from "./token-bucket.ts";

/** Writes of all objects together. */
const BURST = 100;
const PER_SEC = 50;
/** Minor writes leave this many tokens to the others. */
const RESERVED = 20;
/** Writes of one object: a few at once, then one a second. */
const OBJECT_BURST = 10;
const OBJECT_PER_SEC = 1;
/** Objects that were written lately; when there are more, those at rest are forgotten. */
const MAX_BUCKETS = 2_000;

const MIN_BACK_OFF_MS = 500;
const MAX_PAUSE_MS = 30_000;

interface BackOff {
  readonly failures: number;
  readonly untilMs: number;
}

/** What a failure means for the queue. */
export interface Failure {
  /** The API server as a whole should be left alone for a while. */
  readonly isPause: boolean;
  readonly retryAfterMs: number | null;
  /** The longest that this object waits. */
  readonly maxBackOffMs: number;
}

/**
 * Whose status is written next: in the order in which they came, within the rates for one and for all, so that an object which
 * changes all the time takes nothing from the others. One object is written by one request at a time.
 */
export class WriteQueue {
  readonly #random: () => number;
  readonly #all: TokenBucket;
  readonly #urgent = new Set<ObjectKey>();
  readonly #minor = new Set<ObjectKey>();
  readonly #busy = new Set<ObjectKey>();
  readonly #buckets = new Map<ObjectKey, TokenBucket>();
  readonly #backOffs = new Map<ObjectKey, BackOff>();
  #pausedUntilMs = Number.NEGATIVE_INFINITY;
  #pauses = 0;

  constructor(nowMs: number, random: () => number) {
    this.#all = new TokenBucket(BURST, PER_SEC, nowMs);
    this.#random = random;
  }

  get size(): number {
    return this.#urgent.size + this.#minor.size;
  }

  add(key: ObjectKey, isMinor: boolean): void {
    if (isMinor && !this.#urgent.has(key)) this.#minor.add(key);
    if (isMinor) return;
    this.#minor.delete(key);
    this.#urgent.add(key);
  }

  remove(key: ObjectKey): void {
    this.#urgent.delete(key);
    this.#minor.delete(key);
  }

  clear(): void {
    this.#urgent.clear();
    this.#minor.clear();
    this.#backOffs.clear();
  }

  /** The next one that may be written now, or null. It is busy until `done` or `failed`. */
  take(nowMs: number): ObjectKey | null {
    if (nowMs < this.#pausedUntilMs) return null;
    const tokens = this.#all.available(nowMs);
    if (tokens < 1) return null;
    const key = this.#next(this.#urgent, nowMs) ?? (tokens > RESERVED ? this.#next(this.#minor, nowMs) : null);
    if (key === null) return null;
    this.#all.take(nowMs);
    this.remove(key);
    this.#busy.add(key);
    return key;
  }

  done(key: ObjectKey, nowMs: number): void {
    this.#busy.delete(key);
    this.#backOffs.delete(key);
    this.#pauses = 0;
    if (this.#buckets.size > MAX_BUCKETS) this.#forgetRested(nowMs);
  }

  failed(key: ObjectKey, nowMs: number, { isPause, retryAfterMs, maxBackOffMs }: Failure): void {
    this.#busy.delete(key);
    const failures = (this.#backOffs.get(key)?.failures ?? 0) + 1;
    this.#backOffs.set(key, { failures, untilMs: nowMs + this.#backOffMs(failures, maxBackOffMs) });
    if (!isPause) return;
    this.#pauses += 1;
    const pauseMs = Math.max(retryAfterMs ?? 0, this.#backOffMs(this.#pauses, MAX_PAUSE_MS));
    this.#pausedUntilMs = nowMs + Math.min(pauseMs, MAX_PAUSE_MS);
  }

  #next(keys: Set<ObjectKey>, nowMs: number): ObjectKey | null {
    for (const key of keys) {
      if (this.#busy.has(key) || nowMs < (this.#backOffs.get(key)?.untilMs ?? nowMs)) continue;
      if (this.#bucket(key, nowMs).take(nowMs)) return key;
    }
    return null;
  }

  #bucket(key: ObjectKey, nowMs: number): TokenBucket {
    const known = this.#buckets.get(key);
    if (known !== undefined) return known;
    const bucket = new TokenBucket(OBJECT_BURST, OBJECT_PER_SEC, nowMs);
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #forgetRested(nowMs: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.available(nowMs) >= OBJECT_BURST) this.#buckets.delete(key);
  }

  #backOffMs(failures: number, maxMs: number): number {
    const fullMs = Math.min(maxMs, MIN_BACK_OFF_MS * 2 ** Math.min(failures - 1, 20));
    return fullMs * (0.5 + 0.5 * this.#random());
  }
}
