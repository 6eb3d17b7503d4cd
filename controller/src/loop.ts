import { setImmediate as nextTurn } from "node:timers/promises";
import type { KeySet, PolicyResource } from "@gatehouse/protos";
import type { Logger } from "pino";
import { encodeResources, type NamedResource } from "./discovery/encode-resource.ts";
import type { Snapshot, SnapshotChange } from "./discovery/snapshot.ts";
import type { KeyRefresher } from "./jwks/refresher.ts";
import type { LedgerChange, PolicyLedger } from "./policy-ledger.ts";
import type { ObjectKey } from "./resources/object.ts";
import type { ResourceStore, StoreChanges, StoredResource } from "./resources/store.ts";
import type { ControllerMetrics } from "./telemetry/metrics.ts";
import { type Tenancy, wireBytes } from "./tenancy/tenancy.ts";
import { formatDiagnostic, type Report, type Translated } from "./translate/index.ts";
import type { TranslateStored } from "./translate-stored.ts";
import type { HoldOff, WakeUp } from "./wake-up.ts";

/** What the loop joins. */
export interface LoopParts {
  readonly store: ResourceStore;
  /** Notified when the mesh configuration changes; the loop notifies it when the store does. */
  readonly wakeUp: WakeUp;
  /** MeshConfig and the extension providers, if they changed since the last call. */
  readonly takeMesh: () => readonly PolicyResource[] | null;
  readonly translate: TranslateStored;
  readonly tenancy: Tenancy;
  /** Notifies `wakeUp` when keys have changed. */
  readonly keys: Pick<KeyRefresher, "setSources" | "settle" | "takeChanges">;
  readonly snapshot: Snapshot;
  readonly ledger: PolicyLedger;
  /** Called when the snapshot has changed, and once when the first set is complete. */
  readonly publish: () => void;
  readonly holdOff: HoldOff;
  readonly metrics: ControllerMetrics;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Told how far each round brought the policy; default: nobody. */
  readonly rounds?: RoundObserver;
}

/** Follows the rounds of the loop. */
export interface RoundObserver {
  /** The changes of the store were taken just now, in this turn. */
  begins(): void;
  /** They are in the snapshot since this turn. */
  ends(round: Round): void;
}

/** What one round came to. */
export interface Round {
  /** Of the objects that were translated. */
  readonly reports: ReadonlyMap<ObjectKey, Report>;
  /** Names of the resources that differ from before. */
  readonly changed: readonly string[];
  /** Of the snapshot. */
  readonly revision: number;
}

/** Owner of what the mesh configuration yields. */
const MESH = "mesh configuration";

/**
 * What translation takes of one turn of the event loop, in milliseconds, the last object on top: checks go on in between in one process with
 * a server, and leases and streams are kept alive. Not a number of objects: one can cost as much as a thousand.
 */
const TURN_MS = 10;

/** What new policy waits for keys that were never fetched, so that it does not begin by rejecting good tokens. */
const FIRST_KEYS_MS = 500;

const MAX_LOGGED = 20;

/** Objects with problems of which a line is written in one round; one tenant can make thousands. */
const MAX_REPORTED = 100;

/** How often key sets and the room that they take are settled in one round; what is still open then goes into the next. */
const MAX_SETTLEMENTS = 3;

/**
 * The controller's one loop: something changed -> hold off -> translate what changed, take fetched keys -> publish -> report.
 * Publishes nothing before every source has delivered all it has: a part of the policy is a security hole, not a start.
 * @returns when the signal aborts
 */
export async function runLoop(parts: LoopParts, signal: AbortSignal): Promise<void> {
  const relay = relayChanges(parts, signal);
  let isFirst = true;
  while (!signal.aborted) {
    await parts.wakeUp.wait(signal);
    if (!parts.store.synced) continue;
    if (!isFirst) await parts.wakeUp.settle(parts.holdOff, signal);
    if (signal.aborted) break;
    await runRound(parts, isFirst);
    isFirst = false;
  }
  await relay;
}

async function relayChanges({ store, wakeUp }: LoopParts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await store.changed(signal);
    wakeUp.notify();
  }
}

async function runRound(parts: LoopParts, isFirst: boolean): Promise<void> {
  const stopTimer = parts.metrics.translateSeconds.startTimer();
  const changes = parts.store.takeChanges();
  parts.rounds?.begins();
  const mesh = parts.takeMesh();
  if (mesh !== null) parts.tenancy.setMesh(mesh);
  const draft = await translateChanges(parts, changes);
  for (let i = 0; i < MAX_SETTLEMENTS; i++) {
    await settleTenancy(parts, draft);
    await parts.keys.settle(FIRST_KEYS_MS);
    if (!(await takeKeys(parts, draft))) break;
  }
  const { resources, reports } = draft;
  if (mesh !== null) resources.set(MESH, encodeResources(mesh).resources);
  const change = parts.snapshot.apply(resources);
  const objects = parts.ledger.apply(reports, changes.removed);
  parts.rounds?.ends({ reports, changed: change.changed, revision: parts.snapshot.revision });
  stopTimer();
  reportObjects(parts, reports);
  if (change.changed.length + change.removed.length === 0 && !isFirst) return;
  parts.metrics.publishes.inc();
  parts.metrics.lastPublish.set(parts.nowMs() / 1000);
  parts.publish();
  logChange(parts, objects, change, mesh !== null);
}

/** What a round is about to publish. */
interface Draft {
  /** By object; no resources for objects that are gone. */
  readonly resources: Map<string, readonly NamedResource[]>;
  readonly reports: Map<ObjectKey, Report>;
  /** Objects of which the verdict of tenancy is still to be asked for. */
  readonly open: Map<ObjectKey, Translated>;
}

async function translateChanges(parts: LoopParts, { changed, removed }: StoreChanges): Promise<Draft> {
  const resources = new Map<string, readonly NamedResource[]>(removed.map((key) => [key, []]));
  const draft: Draft = { resources, reports: new Map(), open: new Map() };
  const isTurnOver = watchTurns();
  for (const stored of changed) {
    if (isTurnOver()) await nextTurn();
    const translated = parts.translate(stored);
    const bytes = put(draft, stored.key, translated);
    parts.tenancy.set(stored.key, translated, bytes);
    draft.open.set(stored.key, translated);
  }
  for (const key of removed) parts.tenancy.delete(key);
  return draft;
}

/** Says whether others should have their turn now. */
function watchTurns(): () => boolean {
  let endMs = performance.now() + TURN_MS;
  return () => {
    const nowMs = performance.now();
    if (nowMs < endMs) return false;
    endMs = nowMs + TURN_MS;
    return true;
  };
}

/** What objects do to each other: a change of one may change the verdict on others. */
async function settleTenancy(parts: LoopParts, draft: Draft): Promise<void> {
  const { objects, seals } = parts.tenancy.settle();
  await reopen(parts, draft, objects);
  const isTurnOver = watchTurns();
  const released: ObjectKey[] = [];
  for (const [key, translated] of draft.open) {
    if (isTurnOver()) await nextTurn();
    const settled = parts.tenancy.apply(key, translated);
    if (settled !== translated || !draft.resources.has(key)) put(draft, key, settled);
    if (settled.keySources.length > 0) parts.keys.setSources(key, settled.keySources);
    else released.push(key);
  }
  draft.open.clear();
  // After the others: keys that an object hands over to another one need not be fetched again.
  for (const [key, resources] of draft.resources) if (resources.length === 0) parts.keys.setSources(key, []);
  for (const key of released) parts.keys.setSources(key, []);
  for (const [namespace, seal] of seals) reportSeal(parts, draft, namespace, seal);
}

/** Takes objects in that did not change themselves, but their verdict did. */
async function reopen(parts: LoopParts, draft: Draft, keys: Iterable<ObjectKey>): Promise<void> {
  const isTurnOver = watchTurns();
  for (const key of keys) {
    if (isTurnOver()) await nextTurn();
    const stored = draft.open.has(key) ? undefined : parts.store.get(key);
    if (stored === undefined) continue;
    draft.open.set(key, parts.translate(stored));
    draft.resources.delete(key);
  }
}

/** @returns whether there were new ones, which may change what there is room for */
async function takeKeys(parts: LoopParts, draft: Draft): Promise<boolean> {
  const changes = parts.keys.takeChanges();
  for (const [name, keySet] of changes) {
    await nextTurn(); // one set can take a good part of what a turn may
    const encoded = encodeKeySet(keySet);
    draft.resources.set(name, encoded);
    if (keySet !== null) parts.tenancy.setKeySet(name, sizeOf(encoded));
  }
  return changes.size > 0;
}

/** @returns bytes on the wire */
function put({ resources, reports }: Draft, key: ObjectKey, translated: Translated): number {
  const encoded = encodeResources(withoutFetched(translated));
  resources.set(key, encoded.resources);
  reports.set(key, withProblems(translated.report, encoded.problems));
  return sizeOf(encoded.resources);
}

function sizeOf(resources: readonly NamedResource[]): number {
  return resources.reduce((sum, { name, bytes }) => sum + wireBytes(name, bytes.length), 0);
}

/** Key sets that are fetched are no object's own: they change without it. */
function withoutFetched({ resources, keySources }: Translated): readonly PolicyResource[] {
  if (keySources.length === 0) return resources;
  const fetched = new Set(keySources.map(({ keySet }) => keySet));
  return resources.filter((resource) => resource.kind !== "KeySet" || !fetched.has(resource.name));
}

function encodeKeySet(keySet: KeySet | null): readonly NamedResource[] {
  return keySet === null ? [] : encodeResources([keySet]).resources;
}

function withProblems(report: Report, problems: readonly string[]): Report {
  if (problems.length === 0) return report;
  const diagnostics = problems.map((message) => ({ path: "", reason: "Invalid" as const, message }));
  return { ...report, accepted: false, reason: "Invalid", diagnostics: [...report.diagnostics, ...diagnostics] };
}

function reportSeal({ log }: LoopParts, draft: Draft, namespace: string, seal: PolicyResource | null): void {
  draft.resources.set(`quota of ${namespace}`, seal === null ? [] : encodeResources([seal]).resources);
  if (seal === null) log.info({ namespace }, "the policy of a namespace has room again");
  else
    log.error(
      { namespace },
      "there is no room for the policy of a namespace; all requests to its workloads are denied",
    );
}

function reportObjects(parts: LoopParts, reports: ReadonlyMap<ObjectKey, Report>): void {
  const withoutRoom = new Map<string, number>();
  let withProblems = 0;
  for (const [key, report] of reports) {
    const { namespace } = report.ref;
    if (report.reason === "QuotaExceeded") withoutRoom.set(namespace, (withoutRoom.get(namespace) ?? 0) + 1);
    else if (report.diagnostics.length > 0 && ++withProblems <= MAX_REPORTED) {
      reportObject(parts, parts.store.get(key), report);
    }
  }
  const more = withProblems - MAX_REPORTED;
  if (more > 0) parts.log.warn({ objects: more }, "more objects have problems; their status says which");
  for (const [namespace, objects] of withoutRoom) {
    parts.log.warn({ namespace, objects }, "a namespace has too much policy; its newest objects fail closed");
  }
}

function reportObject({ log }: LoopParts, stored: StoredResource | undefined, report: Report): void {
  // The errors of objects that failed their schema were logged with their line when they were read.
  if (stored === undefined || stored.kind === "invalid") return;
  const problems = report.diagnostics.map((diagnostic) => {
    const text = formatDiagnostic(report.ref, diagnostic);
    return `${stored.origin.locate(diagnostic.path)}: ${text}`;
  });
  const { key: object } = stored;
  if (report.reason === "Conflicted") log.warn({ object, problems }, "object claims hosts of another namespace");
  else if (!report.accepted) log.warn({ object, problems }, "object is not accepted and fails closed");
  else if (report.reason === "PartiallySupported") log.warn({ object, problems }, "object is enforced in part");
  else log.warn({ object, problems }, "object is enforced, with warnings");
}

function logChange(parts: LoopParts, objects: LedgerChange, change: SnapshotChange, hasMeshChanged: boolean): void {
  const { added, changed, removed } = objects;
  const list = (name: string, keys: readonly ObjectKey[]) =>
    keys.length === 0 ? {} : { [name]: keys.slice(0, MAX_LOGGED), [`${name}Count`]: keys.length };
  const { objects: total, invalid } = parts.ledger.summary();
  parts.log.info(
    {
      version: parts.snapshot.version,
      ...list("added", added),
      ...list("changed", changed),
      ...list("removed", removed),
      ...(hasMeshChanged ? { meshConfig: "changed" } : {}),
      resourcesChanged: change.changed.length,
      resourcesRemoved: change.removed.length,
      objects: total,
      invalid,
    },
    "policy changed",
  );
}
