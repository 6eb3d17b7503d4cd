import type { Fleet } from "./discovery/fleet.ts";
import type { KeySourceHealth } from "./jwks/refresher.ts";
import { shownUri } from "./jwks/shown-uri.ts";
import type { PolicyLedger } from "./policy-ledger.ts";
import { formatProblem } from "./resources/object.ts";
import type { ResourceStore } from "./resources/store.ts";
import type { SourceState } from "./sources/source.ts";

/** One condition of being ready. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  /** One line, or several: each problem on its own. */
  readonly message: string;
}

/** What readiness depends on. */
export interface ReadinessInput {
  readonly source: string;
  readonly sourceStates: readonly SourceState[];
  /** null: the xDS port has none. */
  readonly certificates?: ReadinessCheck | null;
  readonly store: ResourceStore;
  readonly meshProblems: readonly string[];
  /** Of the published set; null before the first. */
  readonly version: string | null;
  readonly ledger: PolicyLedger;
  readonly fleet: Fleet;
  readonly keySources: readonly KeySourceHealth[];
  /** Leader and status; null: none is written. */
  readonly status?: ReadinessCheck | null;
}

/**
 * Ready means: the source has delivered all it had, and policy is published. Problems of single files or objects are shown, but
 * once the source has synced they do not make the controller unready: the rest is enforced, and a restart would not help. The same
 * holds for keys that can't be fetched.
 */
export function checkReadiness(input: ReadinessInput): readonly ReadinessCheck[] {
  const { source, sourceStates, store, meshProblems, certificates = null, status = null, ...rest } = input;
  const problems = [...store.problems().map(formatProblem), ...meshProblems];
  const state = store.synced ? `${source}: ${store.size} objects` : `${source}: not read completely yet`;
  return [
    { name: "source", ok: store.synced, message: [state, ...sourceStates.map(sourceLine), ...problems].join("\n") },
    { name: "policy", ok: rest.version !== null, message: policyMessage(rest) },
    ...(rest.keySources.length === 0 ? [] : [{ name: "keys", ok: true, message: keysMessage(rest.keySources) }]),
    ...(certificates === null ? [] : [certificates]),
    ...(status === null ? [] : [status]),
  ];
}

function sourceLine({ kind, apiVersion, hasSynced, isFollowing, objects, silentMs }: SourceState): string {
  const name = apiVersion === null ? kind : `${kind} (${apiVersion})`;
  const state = isFollowing ? "followed" : hasSynced ? "not followed now" : "not read yet";
  const heard = silentMs === null ? "" : `, heard of ${Math.round(silentMs / 1000)} s ago`;
  return `${name}: ${state}, ${objects} objects${heard}`;
}

function keysMessage(sources: readonly KeySourceHealth[]): string {
  const isGood = ({ state, lastFailure }: KeySourceHealth) => state === "ready" && lastFailure === null;
  const summary = `${sources.filter(isGood).length} of ${sources.length} key sets are fresh`;
  return [summary, ...sources.map(keySourceLine)].join("\n");
}

function keySourceLine(health: KeySourceHealth): string {
  const { keySet, issuer, uri, state, keys, skipped, lastSuccessMs, nextRefreshMs, lastFailure } = health;
  const parts = [
    `${keySet}: issuer ${issuer || "(any)"}, ${shownUri(uri)}: ${state}, ${keys} keys`,
    skipped.length === 0 ? "" : `${skipped.length} not usable`,
    lastSuccessMs === null ? "never fetched" : `fetched ${toIso(lastSuccessMs)}`,
    `next ${toIso(nextRefreshMs)}`,
    lastFailure === null ? "" : `last error ${lastFailure.class}: ${lastFailure.detail}`,
  ];
  return parts.filter((part) => part !== "").join(", ");
}

function toIso(ms: number): string {
  return new Date(ms).toISOString();
}

function policyMessage({ version, ledger, fleet }: Pick<ReadinessInput, "version" | "ledger" | "fleet">): string {
  if (version === null) return "nothing published yet";
  const { invalid, partial } = ledger.summary();
  const members = fleet.members();
  const current = members.filter(({ ackedVersion }) => ackedVersion === version).length;
  return `version ${version}, ${invalid} objects invalid, ${partial} in part; ${current} of ${members.length} servers have it`;
}
