import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { Jwk } from "@gatehouse/protos";
import { type FetchedKeys, readFetchedJwks } from "../translate/jwks.ts";
import type { KeySource } from "../translate/report.ts";
import { createAddressGuard, type GuardOptions } from "./address-guard.ts";
import { type FetchFailure, KeyFetchError, toFailure } from "./fetch-failure.ts";
import { type FetchTextOptions, fetchText, follow } from "./fetch-text.ts";
import { freshnessMs } from "./freshness.ts";
import { type ConnectionOptions, createConnections } from "./guarded-connection.ts";

/** What one attempt came to. */
export type FetchOutcome =
  | {
      readonly kind: "keys";
      /** Empty only when the server says that there are none. */
      readonly keys: readonly Jwk[];
      /** Keys of the document that are not used, and why. */
      readonly skipped: readonly string[];
      /** How long the server says that this may be used; null: it does not say. */
      readonly freshMs: number | null;
    }
  | ({ readonly kind: "failure" } & FetchFailure);

/** Fetches the keys of one source, in one attempt that ends by its timeout. Never rejects. */
export type FetchKeys = (source: KeySource, signal: AbortSignal) => Promise<FetchOutcome>;

/** How keys are fetched. */
export interface FetcherOptions extends GuardOptions, Omit<ConnectionOptions, "guard"> {}

/**
 * Makes the one function that reaches out for keys.
 * @throws RangeError for an entry of `blockedCidrs` or `allowedHosts` that is none
 */
export function createKeyFetcher(options: FetcherOptions): FetchKeys {
  const guard = createAddressGuard(options);
  const open = createConnections({ ...options, guard });
  const oneByOne = createQueue();
  return async (source, stop) => {
    const attempt = new AbortController();
    let hasTimedOut = false;
    const deadline = sleep(source.timeoutMs, undefined, { signal: attempt.signal }).then(
      () => {
        hasTimedOut = true;
        attempt.abort();
      },
      () => undefined, // the attempt was over first
    );
    const end = () => attempt.abort();
    stop.addEventListener("abort", end);
    try {
      if (stop.aborted) throw new KeyFetchError("stopped", "the controller stops");
      return await fetchOnce(source, { guard, open, signal: attempt.signal, oneByOne });
    } catch (error) {
      return { kind: "failure", ...toFailure(error, hasTimedOut) };
    } finally {
      stop.removeEventListener("abort", end);
      attempt.abort();
      await deadline;
    }
  };
}

interface FetchOnceOptions extends FetchTextOptions {
  /** Many large answers at once are read one after the other. */
  readonly oneByOne: <Value>(task: () => Promise<Value>) => Promise<Value>;
}

function createQueue(): FetchOnceOptions["oneByOne"] {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined); // who asked hears of it
    return result;
  };
}

async function fetchOnce(source: KeySource, options: FetchOnceOptions): Promise<FetchOutcome> {
  const uri = source.uri === "" ? await discover(source.issuer, options) : source.uri;
  const { text, headers } = await fetchText(uri, options);
  const { keys, skipped, isEmpty } = await options.oneByOne(() => readInTurns(text));
  if (keys.length === 0 && !isEmpty) throw new KeyFetchError("no_usable_key", "no key of the set can be used");
  return { kind: "keys", keys, skipped, freshMs: freshnessMs(headers, Date.now()) };
}

/** Keys read in one turn of the event loop; in one process with a server, checks go on in between. */
const KEYS_PER_TURN = 20;

async function readInTurns(text: string): Promise<FetchedKeys> {
  const reader = readFetchedJwks(text);
  if (typeof reader === "string") throw new KeyFetchError("not_json", reader);
  for (let count = 1; ; count++) {
    const step = reader.next();
    if (step.done === true) return step.value;
    if (count % KEYS_PER_TURN === 0) await nextTurn();
  }
}

/** @see https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig */
async function discover(issuer: string, options: FetchTextOptions): Promise<string> {
  const { url, text } = await fetchText(`${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`, options);
  const uri = jwksUriOf(text);
  if (uri === null) throw new KeyFetchError("not_json", "the discovery document has no jwks_uri");
  return follow(url, uri, options.guard).href;
}

function jwksUriOf(text: string): string | null {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof document !== "object" || document === null || !("jwks_uri" in document)) return null;
  return typeof document.jwks_uri === "string" ? document.jwks_uri : null;
}
