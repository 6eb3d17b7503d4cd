import { decodeResource, SetVersion } from "@gatehouse/protos/wire";
import { encode, type NamedResource } from "./encode-resource.ts";
import type { EncodedResource, PublishedSet } from "./session.ts";
import { unenforceableForm } from "./unenforceable-form.ts";

/** What one change of the snapshot came to, in resource names. */
export interface SnapshotChange {
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** Changes of so many resources are remembered, so that sessions need not compare all. */
const MAX_HISTORY = 1000;

/**
 * The current resources, encoded once for all sessions.
 * Each belongs to the objects that yield it: key sets are shared, and go with the last object that needs them.
 */
export class Snapshot implements PublishedSet {
  readonly #resources = new Map<string, EncodedResource>();
  readonly #namesByOwner = new Map<string, readonly string[]>();
  readonly #references = new Map<string, number>();
  readonly #version = new SetVersion();
  #revision = 0;
  /** Which names changed at the newest revisions, oldest first. */
  #history: { readonly revision: number; readonly name: string }[] = [];

  get revision(): number {
    return this.#revision;
  }

  get version(): string {
    return this.#version.toString();
  }

  get resources(): ReadonlyMap<string, EncodedResource> {
    return this.#resources;
  }

  /**
   * Replaces all resources of some owners at once.
   * @param changes resources by owner; none means that the owner is gone
   */
  apply(changes: ReadonlyMap<string, readonly NamedResource[]>): SnapshotChange {
    const before = new Map<string, string | undefined>();
    for (const [owner, resources] of changes) {
      const names = resources.map(({ name }) => name);
      for (const name of this.#namesByOwner.get(owner) ?? []) this.#count(name, -1, before);
      for (const name of names) this.#count(name, +1, before);
      for (const { name, version, bytes } of resources) this.#resources.set(name, { version, bytes });
      if (names.length === 0) this.#namesByOwner.delete(owner);
      else this.#namesByOwner.set(owner, names);
    }
    return this.#settle(before);
  }

  /** Who yields a resource: several may, of a key set. Looks through all of them. */
  ownersOf(name: string): readonly string[] {
    return [...this.#namesByOwner].filter(([, names]) => names.includes(name)).map(([owner]) => owner);
  }

  changedSince(revision: number): Iterable<string> | null {
    const isKnown =
      revision === this.#revision || (this.#history[0]?.revision ?? Number.POSITIVE_INFINITY) <= revision + 1;
    if (!isKnown) return null;
    const start = this.#history.findIndex((entry) => entry.revision > revision);
    return start === -1 ? [] : this.#history.slice(start).map(({ name }) => name);
  }

  unenforceable(name: string, reason: string): EncodedResource | "withheld" | null {
    const current = this.#resources.get(name);
    const form = current === undefined ? null : unenforceableForm(decodeResource(current.bytes), reason);
    return form === null || form === "withheld" ? form : encode(form);
  }

  #count(name: string, by: 1 | -1, before: Map<string, string | undefined>): void {
    if (!before.has(name)) before.set(name, this.#resources.get(name)?.version);
    this.#references.set(name, (this.#references.get(name) ?? 0) + by);
  }

  #settle(before: ReadonlyMap<string, string | undefined>): SnapshotChange {
    const changed: string[] = [];
    const removed: string[] = [];
    for (const [name, versionBefore] of before) {
      if (this.#references.get(name) === 0) {
        this.#references.delete(name);
        this.#resources.delete(name);
      }
      const version = this.#resources.get(name)?.version;
      if (version === versionBefore) continue;
      if (versionBefore !== undefined) this.#version.remove(name, versionBefore);
      if (version !== undefined) this.#version.add(name, version);
      (version === undefined ? removed : changed).push(name);
    }
    this.#remember([...changed, ...removed]);
    return { changed, removed };
  }

  #remember(names: readonly string[]): void {
    if (names.length === 0) return;
    this.#revision += 1;
    const revision = this.#revision;
    const history = [...this.#history, ...names.map((name) => ({ revision, name }))];
    // A revision that is not remembered whole is not remembered at all.
    const cut = history.at(-MAX_HISTORY - 1)?.revision ?? 0;
    this.#history = history.filter((entry) => entry.revision > cut);
  }
}
