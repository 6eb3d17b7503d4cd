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
}

/** Owner of what the mesh configuration yields. */
const MESH = "mesh configuration";

/** Objects translated in one turn of the event loop; in one process with a server, checks go on in between. */
const OBJECTS_PER_TURN = 100;

/** What new policy waits for keys that were never fetched, so that it does not begin by rejecting good tokens. */
const FIRST_KEYS_MS = 500;

const MAX_LOGGED = 20;

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
  const { resources, reports } = await translateChanges(parts, changes);
  await parts.keys.settle(FIRST_KEYS_MS);
  for (const [name, keySet] of parts.keys.takeChanges()) resources.set(name, encodeKeySet(keySet));
  const mesh = parts.takeMesh();
  if (mesh !== null) resources.set(MESH, encodeResources(mesh).resources);
  const change = parts.snapshot.apply(resources);
  const objects = parts.ledger.apply(reports, changes.removed);
  stopTimer();
  for (const stored of changes.changed) reportObject(parts, stored, reports.get(stored.key));
  if (change.changed.length + change.removed.length === 0 && !isFirst) return;
  parts.metrics.publishes.inc();
  parts.metrics.lastPublish.set(parts.nowMs() / 1000);
  parts.publish();
  logChange(parts, objects, change, mesh !== null);
}

interface TranslatedChanges {
  /** By object; no resources for objects that are gone. */
  readonly resources: Map<string, readonly NamedResource[]>;
  readonly reports: ReadonlyMap<ObjectKey, Report>;
}

async function translateChanges(parts: LoopParts, { changed, removed }: StoreChanges): Promise<TranslatedChanges> {
  const resources = new Map<string, readonly NamedResource[]>(removed.map((key) => [key, []]));
  const reports = new Map<ObjectKey, Report>();
  for (const [index, stored] of changed.entries()) {
    if (index % OBJECTS_PER_TURN === OBJECTS_PER_TURN - 1) await nextTurn();
    const translated = parts.translate(stored);
    parts.keys.setSources(stored.key, translated.keySources);
    const encoded = encodeResources(withoutFetched(translated));
    resources.set(stored.key, encoded.resources);
    reports.set(stored.key, withProblems(translated.report, encoded.problems));
  }
  // After the others: keys that an object hands over to another one need not be fetched again.
  for (const key of removed) parts.keys.setSources(key, []);
  return { resources, reports };
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

function reportObject({ log }: LoopParts, stored: StoredResource, report: Report | undefined): void {
  // The errors of objects that failed their schema were logged with their line when they were read.
  if (report === undefined || report.diagnostics.length === 0 || stored.kind === "invalid") return;
  const problems = report.diagnostics.map((diagnostic) => {
    const text = formatDiagnostic(report.ref, diagnostic);
    return `${stored.origin.locate(diagnostic.path)}: ${text}`;
  });
  const { key: object } = stored;
  if (!report.accepted) log.warn({ object, problems }, "object is not accepted and fails closed");
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
