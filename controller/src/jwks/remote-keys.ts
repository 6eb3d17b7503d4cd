import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { Logger } from "pino";
import { StartError } from "../start-error.ts";
import type { ControllerMetrics } from "../telemetry/metrics.ts";
import type { FetchOutcome } from "./fetcher.ts";
import { createKeyFetcher } from "./fetcher.ts";
import { KeyFile } from "./key-file.ts";
import type { KeyOptions } from "./key-options.ts";
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
}

/** @throws StartError `BAD_OPTION` for an option that can't be used */
export async function openRemoteKeys(options: KeyOptions, context: RemoteKeysContext): Promise<RemoteKeys> {
  const { metrics, log, onChange } = context;
  const fetch = createFetcher(options, options.caFile === null ? "" : await readCertificates(options.caFile));
  const file = options.dataDirectory === null ? null : new KeyFile(options.dataDirectory, log);
  const logged = new Map<string, string>();
  const refresher = new KeyRefresher({
    ...options,
    fetch,
    onChange,
    saved: (await file?.load()) ?? [],
    onAttempt(health, outcome) {
      metrics.keyFetches.inc({ result: outcome.kind === "keys" ? "success" : outcome.class });
      logAttempt(health, outcome, { log, logged });
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

function createFetcher(options: KeyOptions, extraCa: string) {
  const { proxy } = options;
  if (proxy !== null && !/^https?:$/.test(URL.parse(proxy)?.protocol ?? "")) {
    throw new StartError(
      "BAD_OPTION",
      "the proxy for keys is not an http or https URL; expected e.g. http://proxy.example:3128",
    );
  }
  try {
    return createKeyFetcher({ ...options, extraCa });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new StartError("BAD_OPTION", `blocked networks: ${cause.message}`, { cause });
  }
}

async function readCertificates(path: string): Promise<string> {
  try {
    const text = await readFile(path, "utf8");
    new X509Certificate(text); // of several the first; an empty or foreign file throws
    return text;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError("BAD_OPTION", `can't use the CA file ${path}: ${reason}; expected PEM certificates`, {
      cause,
    });
  }
}

/** One line when something changes: an issuer that is down for a day must not fill the log. */
function logAttempt(
  health: KeySourceHealth,
  outcome: FetchOutcome,
  { log, logged }: { readonly log: Logger; readonly logged: Map<string, string> },
): void {
  const { keySet, issuer, state, keys, skipped } = health;
  const text = outcome.kind === "keys" ? `${keys} ${skipped.join()}` : outcome.class;
  const isRepeated = logged.get(keySet) === text;
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
