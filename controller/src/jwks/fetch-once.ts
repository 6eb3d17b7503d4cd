import type { KeySet } from "@gatehouse/protos";
import type { KeySource } from "../translate/report.ts";
import type { FetchKeys } from "./fetcher.ts";
import { shownUri } from "./shown-uri.ts";
import { afterAttempt, NEVER_FETCHED, toKeySet } from "./source-state.ts";

/** What asking one source once came to. */
export interface FetchedOnce {
  readonly keySet: KeySet;
  /** What is wrong with it, as one line. */
  readonly problem: string | null;
}

/** Asks each source once, all at the same time. Never rejects. @returns by `KeySet.name` */
export async function fetchOnce(
  sources: readonly KeySource[],
  fetchKeys: FetchKeys,
): Promise<ReadonlyMap<string, FetchedOnce>> {
  const distinct = new Map(sources.map((source) => [source.keySet, source]));
  const fetched = Array.from(
    distinct.values(),
    async (source) => [source.keySet, await ask(source, fetchKeys)] as const,
  );
  return new Map(await Promise.all(fetched));
}

async function ask(source: KeySource, fetchKeys: FetchKeys): Promise<FetchedOnce> {
  const outcome = await fetchKeys(source, new AbortController().signal);
  const keySet = toKeySet(source, afterAttempt(NEVER_FETCHED, outcome, 0, 0));
  const of = `keys of ${source.issuer} ${shownUri(source.uri)}`;
  if (outcome.kind === "failure") {
    return { keySet, problem: `${of} could not be fetched (${outcome.class}): ${outcome.detail}` };
  }
  const { keys, skipped } = outcome;
  if (keys.length === 0) return { keySet, problem: `${of}: the answer says that there are none` };
  return { keySet, problem: skipped.length === 0 ? null : `${of}: ${skipped.slice(0, 5).join("; ")}` };
}
