import type { Logger } from "pino";
import type { ControllerMetrics } from "../telemetry/metrics.ts";
import { fetchInTurns } from "./fetch-turns.ts";
import type { FetchOutcome } from "./fetcher.ts";
import { KeyFile } from "./key-file.ts";
import type { KeyOptions } from "./key-options.ts";
import { openKeyFetcher } from "./open-key-fetcher.ts";
import { KeyRefresher, type KeySourceHealth } from "./refresher.ts";
import { shownUri } from "./shown-uri.ts";

/** Everything around the refresher: options, file, log, metrics. */
export interface RemoteKeys {
  readonly refresher: KeyRefresher;
  /** Ends all fetching and writes what is still to be written. */
  stop(): Promise<void>;
}

/** What remote keys report to. */
export interface RemoteKeysContext {
  readonly metrics: ControllerMetrics;
  readonly log: Logger;
  /** Some key set has changed. */
  readonly onChange: () => void;
  /** After every attempt. @param keySet `KeySet.name` */
  readonly onAttempt?: (keySet: string) => void;
}

/** @throws StartError `BAD_OPTION` for an option that can't be used */
export async function openRemoteKeys(options: KeyOptions, context: RemoteKeysContext): Promise<RemoteKeys> {
  const { metrics, log, onChange } = context;
  const fetch = await openKeyFetcher(options);
  const file = options.dataDirectory === null ? null : new KeyFile(options.dataDirectory, log);
  const logged = new Map<string, string>();
  const turns = fetchInTurns(fetch, (keySet) => refresher.ownersOf(keySet).map(namespaceOf));
  const refresher = new KeyRefresher({
    ...options,
    fetch: turns.fetch,
    onOwnerAdded: (keySet, owner) => turns.join(keySet, namespaceOf(owner)),
    onChange,
    saved: (await file?.load()) ?? [],
    onAttempt(health, outcome) {
      metrics.keyFetches.inc({ result: outcome.kind === "keys" ? "success" : outcome.class });
      logAttempt(health, outcome, { log, logged });
      context.onAttempt?.(health.keySet);
      if (outcome.kind === "keys") file?.changed(() => refresher.toSave());
    },
  });
  return {
    refresher,
    async stop() {
      await refresher.stop();
      await file?.flush();
    },
  };
}

/** Owners are objects, `Kind/namespace/name`. */
function namespaceOf(owner: string): string {
  return owner.split("/")[1] ?? "";
}

/** Sources of which the last line is remembered; there can be any number over time. */
const MAX_LOGGED = 10_000;

/** One line when something changes: an issuer that is down for a day must not fill the log. */
function logAttempt(
  health: KeySourceHealth,
  outcome: FetchOutcome,
  { log, logged }: { readonly log: Logger; readonly logged: Map<string, string> },
): void {
  const { keySet, issuer, state, keys, skipped } = health;
  const text = outcome.kind === "keys" ? `${keys} ${skipped.join()}` : outcome.class;
  const isRepeated = logged.get(keySet) === text;
  if (logged.size >= MAX_LOGGED) logged.clear();
  logged.set(keySet, text);
  const fields = { keySet, issuer, uri: shownUri(health.uri), state, keys };
  if (outcome.kind === "failure") {
    const line = { ...fields, error: outcome.class, detail: outcome.detail };
    const message = "keys could not be fetched; those from before stay, and it is tried again";
    if (isRepeated) log.debug(line, message);
    else log.warn(line, message);
    return;
  }
  if (isRepeated) log.debug(fields, "keys fetched");
  else if (skipped.length > 0 || outcome.keys.length === 0)
    log.warn({ ...fields, skipped: skipped.slice(0, 20) }, "keys fetched, not all of use");
  else log.info(fields, "keys fetched");
}
