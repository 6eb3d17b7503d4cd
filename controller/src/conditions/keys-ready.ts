import type { Condition } from "./condition.ts";
import { shortened } from "./message.ts";

/** How one source of fetched keys stands, as far as a status tells it. */
export interface KeySourceState {
  readonly issuer: string;
  /** Without its query, which may hold a secret. */
  readonly uri: string;
  readonly keys: number;
  /** There are keys, or there validly are none. */
  readonly isKnown: boolean;
  /** RFC 3339; null: never. */
  readonly lastSuccess: string | null;
  /** Class of the last failure; null when the last attempt succeeded. */
  readonly failure: string | null;
}

/**
 * Whether the keys of a RequestAuthentication are at hand. The message does not change while all goes well: a status that is
 * written at each fetch would be noise.
 * @returns null when it has no keys to fetch
 */
export function keysReadyCondition(sources: readonly KeySourceState[], observedGeneration: number): Condition | null {
  if (sources.length === 0) return null;
  const isUnavailable = sources.some(({ isKnown, keys }) => !isKnown || keys === 0);
  const isStale = sources.some(({ failure }) => failure !== null);
  const reason = isUnavailable ? "KeysUnavailable" : isStale ? "KeysStale" : "KeysFetched";
  const message = shortened(sources.map(describe).join("; "));
  return { type: "KeysReady", status: isUnavailable ? "False" : "True", reason, message, observedGeneration };
}

function describe({ issuer, uri, keys, lastSuccess, failure }: KeySourceState): string {
  const what = `issuer ${issuer || "(any)"}, ${uri}: ${keys} keys`;
  if (failure === null) return what;
  return `${what}, ${lastSuccess === null ? "never fetched" : `last fetched ${lastSuccess}`}, last error ${failure}`;
}
