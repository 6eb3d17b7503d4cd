import type { Jwk, KeySet } from "@gatehouse/protos";
import type { KeySource } from "../translate/report.ts";
import type { FetchFailure } from "./fetch-failure.ts";
import type { FetchOutcome } from "./fetcher.ts";

/** What is known of one source of keys. Times are of the steady clock, in milliseconds. */
export interface SourceState {
  /** `unavailable`: there never were keys, or they became too old. */
  readonly state: KeySet["state"];
  readonly keys: readonly Jwk[];
  /** Keys of the newest document that are not used. */
  readonly skipped: readonly string[];
  /** Last answer that was a key set; null: none yet. */
  readonly successAtMs: number | null;
  /** In a row; 0 after a success. */
  readonly failures: number;
  readonly lastFailure: FetchFailure | null;
  /** The newest answer said, validly, that there are no keys; another such answer and it is believed. */
  readonly wasEmpty: boolean;
}

/** A source that was never asked. */
export const NEVER_FETCHED: SourceState = {
  state: "unavailable",
  keys: [],
  skipped: [],
  successAtMs: null,
  failures: 0,
  lastFailure: null,
  wasEmpty: false,
};

/**
 * What is known after one more attempt. Nothing but a document with usable keys replaces keys, save two answers in a row that there are none.
 * @param atMs when the attempt ended
 */
export function afterAttempt(
  before: SourceState,
  outcome: FetchOutcome,
  atMs: number,
  maxStaleMs: number,
): SourceState {
  if (outcome.kind === "failure") {
    const { kind: _, ...lastFailure } = outcome;
    const failed = { ...before, failures: before.failures + 1, lastFailure };
    const isStale = before.successAtMs !== null && atMs - before.successAtMs > maxStaleMs;
    return isStale ? { ...failed, state: "unavailable", keys: [] } : failed;
  }
  const { keys, skipped } = outcome;
  const isEmpty = keys.length === 0;
  const known = { ...before, skipped, successAtMs: atMs, failures: 0, lastFailure: null, wasEmpty: isEmpty };
  if (!isEmpty) return { ...known, state: "ready", keys };
  return before.wasEmpty ? { ...known, state: "noValidKeys", keys: [] } : known;
}

/** The key set that servers get. */
export function toKeySet({ keySet: name }: KeySource, { state, keys }: SourceState): KeySet {
  return { kind: "KeySet", name, minReaderVersion: 1, state, keys };
}
