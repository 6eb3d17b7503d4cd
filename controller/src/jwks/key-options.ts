import type { GuardOptions } from "./address-guard.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import type { RefreshTimes } from "./refresh-times.ts";

/** How one attempt reaches out for keys. */
export interface KeyFetchOptions extends GuardOptions {
  /** PEM file with certificates that are trusted besides the system's; null: none. Default: null. */
  readonly caFile: string | null;
  /** URL of a forward proxy; null: none, whatever the environment says. Default: null. */
  readonly proxy: string | null;
}

/** How keys of `jwksUri` and of OpenID discovery are fetched. */
export interface KeyOptions extends KeyFetchOptions, RefreshTimes {
  /** Where fetched keys survive restarts; null: nowhere. Default: null. */
  readonly dataDirectory: string | null;
  /** Default: the machine's. */
  readonly clock: Clock;
  /** From 0 to 1. Default: Math.random. */
  readonly random: () => number;
}

export const DEFAULT_KEY_OPTIONS: KeyOptions = {
  intervalMs: 20 * 60_000,
  maxStaleMs: 7 * 24 * 3_600_000,
  allowLoopback: false,
  blockedCidrs: [],
  allowedHosts: [],
  caFile: null,
  proxy: null,
  dataDirectory: null,
  clock: SYSTEM_CLOCK,
  random: Math.random,
};
