import type { ObjectKey } from "../resources/object.ts";
import { fairLevel } from "./fair-level.ts";
import { type Aged, compareAge } from "./object-order.ts";

/** What may be published, in bytes as they travel. */
export interface QuotaLimits {
  /** Of one namespace; the root namespace has no limit of its own. */
  readonly namespaceBytes: number;
  /** Of all together. */
  readonly totalBytes: number;
}

/** All policy, so that it fits into one response of 64 MiB with an eighth more of refused objects, and MeshConfig. */
export const MAX_POLICY_BYTES: number = 56 * 1024 * 1024;

/** One object, as far as its size is concerned. */
export interface SizedObject extends Aged {
  readonly key: ObjectKey;
  /** Of all that it is published as. */
  readonly bytes: number;
  /** Of its small form; null: it has none. */
  readonly closedBytes: number | null;
  /** What it takes besides that others decide the size of: key sets that are fetched for it, delegates. How many times each counts. */
  readonly parts: ReadonlyMap<string, number>;
}

/** `closed`: there is room for its small form only. `withheld`: not even for that, and its namespace is sealed. */
export type QuotaVerdict = "closed" | "withheld";

/** What refused objects may take besides, as a part of what a namespace may. */
const CLOSED_SHARE = 8;

interface Usage {
  readonly objects: Map<ObjectKey, SizedObject>;
  bytes: number;
  verdicts: ReadonlyMap<ObjectKey, QuotaVerdict>;
  /** At which it was judged last. */
  limit: number;
}

/**
 * Keeps each namespace within its room, and all together within one message. The newest objects of a namespace that has too much are
 * refused; when all together have too much, those of the largest namespaces. Whoever is within bounds is not affected.
 */
export class NamespaceQuota {
  readonly #limits: QuotaLimits;
  readonly #namespaces = new Map<string, Usage>();
  readonly #partBytes = new Map<string, number>();
  readonly #partUsers = new Map<string, Set<SizedObject>>();
  readonly #dirty = new Set<string>();
  readonly #byKey = new Map<ObjectKey, SizedObject>();
  #rootNamespace = "";
  #total = 0;
  #level = Number.POSITIVE_INFINITY;

  constructor(limits: QuotaLimits) {
    this.#limits = limits;
  }

  set rootNamespace(namespace: string) {
    if (namespace === this.#rootNamespace) return;
    this.#dirty.add(this.#rootNamespace).add(namespace);
    this.#rootNamespace = namespace;
  }

  set(object: SizedObject): void {
    this.delete(object.key);
    this.#byKey.set(object.key, object);
    this.#usageOf(object.namespace).objects.set(object.key, object);
    for (const name of object.parts.keys()) {
      this.#partUsers.set(name, (this.#partUsers.get(name) ?? new Set()).add(object));
    }
    this.#count(object.namespace, this.#bytesOf(object));
  }

  delete(key: ObjectKey): void {
    const object = this.#byKey.get(key);
    if (object === undefined) return;
    this.#byKey.delete(key);
    this.#usageOf(object.namespace).objects.delete(key);
    this.#count(object.namespace, -this.#bytesOf(object));
    for (const name of object.parts.keys()) {
      const users = this.#partUsers.get(name);
      users?.delete(object);
      if (users?.size !== 0) continue;
      this.#partUsers.delete(name);
      this.#partBytes.delete(name);
    }
  }

  /** A part has this size now. It stays known while objects want it: one that is refused for it would come and go otherwise. */
  setPart(name: string, bytes: number): void {
    const users = this.#partUsers.get(name);
    if (users === undefined) return;
    const more = bytes - (this.#partBytes.get(name) ?? 0);
    this.#partBytes.set(name, bytes);
    for (const { namespace, parts } of users) this.#count(namespace, more * (parts.get(name) ?? 0));
  }

  /** @returns null: accepted */
  verdictOf(key: ObjectKey): QuotaVerdict | null {
    const namespace = this.#byKey.get(key)?.namespace;
    return (namespace === undefined ? undefined : this.#namespaces.get(namespace)?.verdicts.get(key)) ?? null;
  }

  /** Whether one namespace alone has too much; else it is all together. */
  isOverItsOwn(namespace: string): boolean {
    return this.#limitOf(namespace) === this.#limits.namespaceBytes;
  }

  /** Something of this namespace is withheld. */
  isSealed(namespace: string): boolean {
    return [...(this.#namespaces.get(namespace)?.verdicts.values() ?? [])].includes("withheld");
  }

  /** Judges anew what changed. */
  settle(): { readonly objects: ReadonlySet<ObjectKey>; readonly namespaces: ReadonlySet<string> } {
    this.#findLevel();
    const objects = new Set<ObjectKey>();
    const namespaces = new Set(this.#dirty);
    this.#dirty.clear();
    for (const namespace of namespaces) {
      const usage = this.#namespaces.get(namespace);
      if (usage === undefined) continue;
      const before = usage.verdicts;
      usage.limit = this.#limitOf(namespace);
      usage.verdicts = usage.bytes <= usage.limit ? new Map() : this.#judge(usage);
      for (const key of new Set([...before.keys(), ...usage.verdicts.keys()])) {
        if (before.get(key) !== usage.verdicts.get(key) && this.#byKey.has(key)) objects.add(key);
      }
      if (usage.objects.size === 0) this.#namespaces.delete(namespace);
    }
    return { objects, namespaces };
  }

  #usageOf(namespace: string): Usage {
    const known = this.#namespaces.get(namespace);
    if (known !== undefined) return known;
    const usage: Usage = { objects: new Map(), bytes: 0, verdicts: new Map(), limit: this.#limitOf(namespace) };
    this.#namespaces.set(namespace, usage);
    return usage;
  }

  #bytesOf({ bytes, parts }: SizedObject): number {
    return [...parts].reduce((sum, [name, times]) => sum + times * (this.#partBytes.get(name) ?? 0), bytes);
  }

  #count(namespace: string, bytes: number): void {
    this.#usageOf(namespace).bytes += bytes;
    this.#total += bytes;
    this.#dirty.add(namespace);
  }

  #limitOf(namespace: string): number {
    if (namespace === this.#rootNamespace) return this.#limits.totalBytes;
    return Math.min(this.#limits.namespaceBytes, this.#level);
  }

  /** What each namespace may have at most so that all together fit: those below it lose nothing. */
  #findLevel(): void {
    const { totalBytes } = this.#limits;
    const before = this.#level;
    if (this.#total <= totalBytes) this.#level = Number.POSITIVE_INFINITY;
    else {
      const root = Math.min(this.#namespaces.get(this.#rootNamespace)?.bytes ?? 0, totalBytes);
      const others = [...this.#namespaces].filter(([name]) => name !== this.#rootNamespace);
      this.#level = fairLevel(
        others.map(([, { bytes }]) => Math.min(bytes, this.#limits.namespaceBytes)),
        totalBytes - root,
      );
    }
    if (this.#level === before) return;
    for (const [name, usage] of this.#namespaces) if (usage.limit !== this.#limitOf(name)) this.#dirty.add(name);
  }

  #judge({ objects, limit }: Usage): ReadonlyMap<ObjectKey, QuotaVerdict> {
    const verdicts = new Map<ObjectKey, QuotaVerdict>();
    let left = limit;
    let leftClosed = Math.floor(limit / CLOSED_SHARE);
    for (const object of [...objects.values()].toSorted(compareWeight)) {
      const bytes = this.#bytesOf(object);
      if (bytes <= left) left -= bytes;
      else if (object.closedBytes !== null && object.closedBytes <= leftClosed) {
        leftClosed -= object.closedBytes;
        verdicts.set(object.key, "closed");
      } else verdicts.set(object.key, "withheld");
    }
    return verdicts;
  }
}

/** Gateways first: without one, whoever names it could bind to it. */
function compareWeight(a: SizedObject, b: SizedObject): number {
  const rank = ({ key }: SizedObject) => (key.startsWith("Gateway/") ? 0 : 1);
  return rank(a) - rank(b) || compareAge(a, b) || (a.key < b.key ? -1 : 1);
}
