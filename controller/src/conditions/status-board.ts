import type { ResourceKind } from "../resources/gen/schemas.ts";
import type { FieldError, ObjectKey } from "../resources/object.ts";
import type { Report } from "../translate/index.ts";
import { acceptedCondition, type Verdict } from "./accepted.ts";
import type { Condition } from "./condition.ts";
import { createFleetView, type FleetView } from "./fleet-view.ts";
import { type KeySourceState, keysReadyCondition } from "./keys-ready.ts";
import { invalidProgrammedCondition, isProgrammed, programmedCondition } from "./programmed.ts";
import { splitKey } from "./resource-kinds.ts";
import { isAtOrPast } from "./resource-version.ts";
import { readStatus, type StatedCondition, type StatusForm } from "./status-form.ts";

/** An object as the API server has it, as far as its status depends on it. */
export interface BoardObject {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly uid: string;
  readonly generation: number;
  readonly resourceVersion: string;
  /** Why it failed its schema; empty when it passed. */
  readonly errors: readonly FieldError[];
  /** `.status` of any shape. */
  readonly status: unknown;
}

/** What the translation of an object came to. */
export interface Translation {
  readonly report: Report;
  readonly isChanged: boolean;
}

/** What the board asks others for. */
export interface BoardSources {
  /** Up to which resourceVersion of a kind the objects have been translated here. */
  readonly translated: (kind: ResourceKind) => string;
  /** The fetched keys that an object needs. */
  readonly keySources: (key: ObjectKey) => readonly KeySourceState[];
}

/** What is to be done about the status of one object. */
export type Decision =
  | { readonly kind: "none" }
  /** Not yet: it is looked at again when the fleet moves or time passes. */
  | { readonly kind: "wait" }
  | {
      readonly kind: "write";
      readonly object: BoardObject;
      readonly before: StatusForm;
      readonly conditions: readonly Condition[];
      /** Only a count in a message differs: it may wait for all others. */
      readonly isMinor: boolean;
    };

/** A new generation gets this long to be enforced before its status says that it is not, so that an edit is one write. */
export const GRACE_MS = 1_000;
/** A server that restarts or changes to another replica is back within this time; until then what was programmed stays so. */
export const SHORTFALL_MS = 15_000;
/** Counts are written anew when servers have stopped to come and go. */
export const MINOR_MS = 10_000;

interface Entry {
  object: BoardObject;
  status: StatusForm;
  report: Report | null;
  /** The resourceVersion that a server must have reached to enforce the object as it is now, and when it was first seen. */
  version: string;
  sinceMs: number;
  /** The `version` that every server was seen to enforce. */
  confirmed: string | null;
  /** Since when some server lacks what was confirmed. */
  shortSinceMs: number | null;
  /** What was written last, and what the API server made of it: some schemas drop fields. */
  written: { readonly wanted: string; readonly became: string } | null;
  wait: Wait | null;
}

/** When an object is looked at again that nothing happens to. */
interface Wait {
  readonly untilMs: number;
  /** Sooner if it no longer is enforced by so many; null: at any change of the fleet. */
  readonly coverage: string | null;
}

/**
 * Knows of every object what its status says and what it should say. Work follows what changed: an acknowledgement makes only
 * those objects be looked at again that wait for one.
 */
export class StatusBoard {
  readonly #sources: BoardSources;
  readonly #entries = new Map<ObjectKey, Entry>();
  readonly #dirty = new Set<ObjectKey>();
  readonly #waiting = new Set<ObjectKey>();
  /** Those of `#waiting` of which only a count in a message is to be written. */
  readonly #minor = new Set<ObjectKey>();
  #view: FleetView = createFleetView([]);
  #viewAtMs = Number.NEGATIVE_INFINITY;
  #membersAtMs = Number.NEGATIVE_INFINITY;

  constructor(sources: BoardSources) {
    this.#sources = sources;
  }

  /** Number of objects that are looked at again when the fleet moves or time passes. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Number of objects that are not known to be enforced by every server. */
  get unprogrammed(): number {
    return this.#waiting.size - this.#minor.size;
  }

  get hasDirty(): boolean {
    return this.#dirty.size > 0;
  }

  seen(object: BoardObject, nowMs: number): void {
    const before = this.#entries.get(object.key);
    const status = readStatus(object.status);
    this.#dirty.add(object.key);
    if (before === undefined) {
      const { resourceVersion: version } = object;
      const isStated = status.conditions.some(
        ({ type, status: is, observedGeneration }) =>
          type === "Programmed" && is === "True" && observedGeneration === object.generation,
      );
      const confirmed = isStated ? version : null;
      const entry = { object, status, report: null, version, sinceMs: nowMs, confirmed, shortSinceMs: null };
      this.#entries.set(object.key, { ...entry, written: null, wait: null });
      return;
    }
    // Our own write may have told of a newer state than a slow watch.
    const isSame = before.object.uid === object.uid;
    if (isSame && !isAtOrPast(object.resourceVersion, before.object.resourceVersion)) return;
    const isEdit = !isSame || before.object.generation !== object.generation;
    before.object = object;
    before.status = status;
    if (isEdit) this.#edited(before, nowMs);
  }

  gone(key: ObjectKey): void {
    this.#entries.delete(key);
    this.#dirty.delete(key);
    this.#waiting.delete(key);
    this.#minor.delete(key);
  }

  /** An object was translated, because it came or some of it changed. @param isChanged what it was translated to has changed */
  reported(key: ObjectKey, { report, isChanged }: Translation, nowMs: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    const isFirst = entry.report === null;
    entry.report = report;
    this.#dirty.add(key);
    // Annotations have a meaning too, and change without a new generation.
    const isNewer = entry.version !== entry.object.resourceVersion;
    if (!isFirst && isChanged && isNewer) this.#edited(entry, nowMs);
  }

  /** Something that the status depends on has changed. */
  touch(key: ObjectKey): void {
    if (this.#entries.has(key)) this.#dirty.add(key);
  }

  /** @param owner a key as text, of an object or of something else */
  touchOwner(owner: string): void {
    const parts = splitKey(owner);
    if (parts !== null) this.touch(`${parts.kind}/${parts.namespace}/${parts.name}`);
  }

  touchAll(): void {
    for (const key of this.#entries.keys()) this.#dirty.add(key);
  }

  /** Makes those be looked at that have waited long enough. */
  wake(nowMs: number): void {
    for (const key of this.#waiting) {
      const wait = this.#entries.get(key)?.wait;
      if (wait == null || nowMs >= wait.untilMs) this.#dirty.add(key);
    }
  }

  /** @param readAtMs when the asking began; what was seen later than that is not vouched for by this view */
  fleet(view: FleetView, readAtMs: number, nowMs: number): void {
    const before = this.#view;
    this.#view = view;
    this.#viewAtMs = readAtMs;
    const hasMoved = view.members !== before.members;
    if (hasMoved) this.#membersAtMs = nowMs;
    if (hasMoved || view.isBehind(before)) this.touchAll();
    for (const key of [...before.refused, ...view.refused]) this.touch(key);
    for (const key of this.#waiting) {
      const entry = this.#entries.get(key);
      if (entry?.wait?.coverage == null || entry.wait.coverage !== this.#coverageText(entry)) this.#dirty.add(key);
    }
  }

  /** Takes some of those that have to be looked at. */
  takeDirty(max: number): readonly ObjectKey[] {
    const taken: ObjectKey[] = [];
    for (const key of this.#dirty) {
      if (taken.length === max) break;
      taken.push(key);
      this.#dirty.delete(key);
    }
    return taken;
  }

  /** What is to be done about one object, as of now. */
  decide(key: ObjectKey, nowMs: number): Decision {
    const entry = this.#entries.get(key);
    const parts = splitKey(key);
    if (entry === undefined || parts === null) return { kind: "none" };
    if (this.#minor.delete(key)) this.#waiting.delete(key);
    const verdict = this.#verdict(entry, parts.kind);
    if (verdict === null) return this.#wait(entry, Number.POSITIVE_INFINITY, null);
    const { generation } = entry.object;
    const accepted = acceptedCondition(verdict, generation);
    const isAccepted = accepted.status === "True";
    const programmed = isAccepted ? this.#programmed(entry, parts.kind, nowMs) : invalidProgrammedCondition(generation);
    if ("kind" in programmed) return programmed;
    if (programmed.status === "True" || programmed.reason === "Invalid") this.#settle(entry);
    else this.#wait(entry, Number.POSITIVE_INFINITY, this.#coverageText(entry));
    const keys = keysReadyCondition(this.#sources.keySources(key), generation);
    return this.#compare(entry, keys === null ? [accepted, programmed] : [accepted, programmed, keys], nowMs);
  }

  /** The API server took a write, and this is the object since. */
  written(
    key: ObjectKey,
    conditions: readonly Condition[],
    answer: Pick<BoardObject, "uid" | "resourceVersion" | "status">,
  ): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.object.uid !== answer.uid) return;
    const status = readStatus(answer.status);
    entry.written = { wanted: toText(conditions), became: toText(status.conditions) };
    if (!isAtOrPast(answer.resourceVersion, entry.object.resourceVersion)) return;
    entry.object = { ...entry.object, resourceVersion: answer.resourceVersion, status: answer.status };
    entry.status = status;
  }

  #edited(entry: Entry, nowMs: number): void {
    entry.version = entry.object.resourceVersion;
    entry.sinceMs = nowMs;
    entry.confirmed = null;
    entry.shortSinceMs = null;
  }

  #compare(entry: Entry, conditions: readonly Condition[], nowMs: number): Decision {
    const { object, status: before, written } = entry;
    const wanted = toText(conditions);
    const current = toText(before.conditions);
    if (wanted === current) return { kind: "none" };
    // The API server does not keep what we write: writing it again would never end.
    if (written?.wanted === wanted && written.became === current) return { kind: "none" };
    const isMinor = toText(withoutCount(conditions)) === toText(withoutCount(before.conditions));
    const dueMs = this.#membersAtMs + MINOR_MS;
    if (isMinor && nowMs < dueMs) {
      if (!this.#waiting.has(object.key)) this.#minor.add(object.key);
      return this.#wait(entry, dueMs, this.#coverageText(entry));
    }
    return { kind: "write", object, before, conditions, isMinor };
  }

  #wait(entry: Entry, untilMs: number, coverage: string | null): Decision {
    entry.wait = { untilMs, coverage };
    this.#waiting.add(entry.object.key);
    return { kind: "wait" };
  }

  #settle(entry: Entry): void {
    if (entry.shortSinceMs !== null) return;
    entry.wait = null;
    this.#waiting.delete(entry.object.key);
  }

  #coverageText({ object, version }: Entry): string {
    const kind = splitKey(object.key)?.kind;
    return kind === undefined ? "" : JSON.stringify(this.#view.coverage(kind, object.key, version));
  }

  /** @returns null while the object as it is now has not been translated */
  #verdict({ object, report, version }: Entry, kind: ResourceKind): Verdict | null {
    if (object.errors.length > 0) return { kind: "schema", errors: object.errors };
    if (report === null || !isAtOrPast(this.#sources.translated(kind), version)) return null;
    return { kind: "report", report };
  }

  /** The condition, or a decision to wait while nothing can be said yet. */
  #programmed(entry: Entry, kind: ResourceKind, nowMs: number): Condition | Decision {
    const { object, status, version, sinceMs } = entry;
    const { generation } = object;
    const coverage = this.#view.coverage(kind, object.key, version);
    const fresh = programmedCondition(coverage, generation);
    if (isProgrammed(coverage) && this.#viewAtMs >= sinceMs) {
      entry.confirmed = version;
      entry.shortSinceMs = null;
      return fresh;
    }
    if (coverage.refusal !== null) {
      entry.confirmed = null;
      entry.shortSinceMs = null;
      return fresh;
    }
    const stated = status.conditions.find(({ type }) => type === "Programmed");
    if (entry.confirmed === version && stated?.status === "True") {
      entry.shortSinceMs ??= nowMs;
      const dueMs = entry.shortSinceMs + SHORTFALL_MS;
      if (nowMs < dueMs) return this.#wait(entry, dueMs, this.#coverageText(entry));
    }
    entry.confirmed = null;
    entry.shortSinceMs = null;
    // A condition of an older generation misleads nobody who compares generations, so the new one gets a moment.
    const isOfThis = stated !== undefined && stated.observedGeneration === generation;
    const dueMs = sinceMs + GRACE_MS;
    if (!isOfThis && nowMs < dueMs) return this.#wait(entry, dueMs, null);
    return isProgrammed(coverage) ? this.#wait(entry, Number.POSITIVE_INFINITY, null) : fresh;
  }
}

type Stated = Pick<StatedCondition, "type" | "status" | "reason" | "message" | "observedGeneration">;

/** What counts in a comparison: not the times, nor the order. */
function toText(conditions: readonly Stated[]): string {
  const rows = conditions.map(({ type, status, reason, message, observedGeneration }) =>
    JSON.stringify([type, status, reason, message, observedGeneration]),
  );
  return rows.toSorted().join();
}

function withoutCount(conditions: readonly Stated[]): readonly Stated[] {
  return conditions.map((condition) => (condition.type === "Programmed" ? { ...condition, message: "" } : condition));
}
