import {
  type InvalidObject,
  type ObjectKey,
  type ObjectMetadata,
  type Origin,
  objectKey,
  type Problem,
  type ResourceObject,
} from "./object.ts";

/** What the store holds under one key: an object to be enforced, or one that was never valid and must fail closed. */
export type StoredResource =
  | { readonly kind: "valid"; readonly key: ObjectKey; readonly object: ResourceObject; readonly origin: Origin }
  | { readonly kind: "invalid"; readonly key: ObjectKey; readonly object: InvalidObject; readonly origin: Origin };

/** What happened since the last call of `takeChanges`; each key occurs once. */
export interface StoreChanges {
  readonly changed: readonly StoredResource[];
  readonly removed: readonly ObjectKey[];
}

/** The part of AbortSignal that the store needs. */
export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * The objects of all sources, and what changed of them. Sources write, the loop reads.
 * An object that turns invalid keeps its last good version here and is told of in `problems()`.
 */
export class ResourceStore {
  readonly #resources = new Map<ObjectKey, StoredResource>();
  /** Newest versions that failed, of objects whose last good version serves. */
  readonly #rejected = new Map<ObjectKey, { readonly object: InvalidObject; readonly origin: Origin }>();
  readonly #changedKeys = new Set<ObjectKey>();
  readonly #removedKeys = new Set<ObjectKey>();
  readonly #sourceProblems = new Map<string, readonly Problem[]>();
  readonly #unsynced: Set<string>;
  readonly #waiting = new Set<() => void>();
  #hasNews = false;

  /** @param sources names of all sources that must sync before the set is whole; for Kubernetes, one per kind */
  constructor(sources: readonly string[]) {
    this.#unsynced = new Set(sources);
  }

  /** Whether every source has delivered everything it had at its start. Until then nothing may be published. */
  get synced(): boolean {
    return this.#unsynced.size === 0;
  }

  /** Number of objects, the ones that fail closed included. */
  get size(): number {
    return this.#resources.size;
  }

  /** @returns whether spec, labels, annotations or age differ from what was stored; a change of status alone does not */
  upsert(object: ResourceObject, origin: Origin): boolean {
    const key = objectKey(object);
    const before = this.#resources.get(key);
    this.#rejected.delete(key);
    this.#resources.set(key, { kind: "valid", key, object, origin });
    if (before?.kind === "valid" && hasSameContent(before.object, object)) return false;
    this.#noteChange(key);
    return true;
  }

  /** Keeps the last good version where there is one. @returns whether what the store serves has changed */
  invalid(object: InvalidObject, origin: Origin): boolean {
    const key = objectKey(object);
    const before = this.#resources.get(key);
    if (before?.kind === "valid") {
      this.#rejected.set(key, { object, origin });
      return false;
    }
    this.#resources.set(key, { kind: "invalid", key, object, origin });
    if (before && isEqual(before.object, object)) return false;
    this.#noteChange(key);
    return true;
  }

  /** @returns whether there was such an object */
  delete(key: ObjectKey): boolean {
    this.#rejected.delete(key);
    if (!this.#resources.delete(key)) return false;
    this.#changedKeys.delete(key);
    this.#removedKeys.add(key);
    this.#wake();
    return true;
  }

  /** Replaces all problems of one source. */
  setProblems(source: string, problems: readonly Problem[]): void {
    this.#sourceProblems.set(source, problems);
  }

  /** Says that a source has delivered everything it had at its start. */
  markSynced(source: string): void {
    if (this.#unsynced.delete(source)) this.#wake();
  }

  get(key: ObjectKey): StoredResource | undefined {
    return this.#resources.get(key);
  }

  /** Something has changed that nobody has taken yet. */
  get hasChanges(): boolean {
    return this.#changedKeys.size + this.#removedKeys.size > 0;
  }

  /** Every object, in no order. */
  all(): readonly StoredResource[] {
    return [...this.#resources.values()];
  }

  /** The changes since the last call, in the order of the first change. */
  takeChanges(): StoreChanges {
    const changed = [...this.#changedKeys].flatMap((key) => this.#resources.get(key) ?? []);
    const removed = [...this.#removedKeys];
    this.#changedKeys.clear();
    this.#removedKeys.clear();
    return { changed, removed };
  }

  /** Resolves when something has changed or a source has synced since this last resolved, or when the signal aborts. */
  async changed(signal: StopSignal): Promise<void> {
    if (!this.#hasNews && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.#waiting.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#waiting.add(done);
        signal.addEventListener("abort", done);
      });
    }
    this.#hasNews = false;
  }

  /** What is wrong now: fields of invalid objects first, then what the sources report. */
  problems(): readonly Problem[] {
    const invalid = [...this.#resources.values()].filter((resource) => resource.kind === "invalid");
    return [
      ...[...this.#rejected.values()].flatMap(({ object, origin }) => fieldProblems(object, origin)),
      ...invalid.flatMap(({ object, origin }) => fieldProblems(object, origin)),
      ...[...this.#sourceProblems.values()].flat(),
    ];
  }

  #noteChange(key: ObjectKey): void {
    this.#removedKeys.delete(key);
    this.#changedKeys.add(key);
    this.#wake();
  }

  #wake(): void {
    this.#hasNews = true;
    for (const done of [...this.#waiting]) done();
  }
}

/** The errors of an invalid object, each with its place. */
export function fieldProblems(object: InvalidObject, origin: Origin): readonly Problem[] {
  const { kind, namespace, name } = object;
  return object.errors.map(({ path, message }) => ({
    level: "error",
    where: origin.locate(path),
    object: { kind, namespace, name },
    path,
    message,
  }));
}

function hasSameContent(a: ResourceObject, b: ResourceObject): boolean {
  return isEqual(a.spec, b.spec) && isEqual(policyMetadata(a.metadata), policyMetadata(b.metadata));
}

/** The metadata that translation reads. creationTimestamp orders objects, and changes when one is deleted and made anew. */
function policyMetadata({ labels, annotations, creationTimestamp }: ObjectMetadata): unknown {
  return { labels, annotations, creationTimestamp };
}

/** Deep equality of JSON values; the order of keys does not count. */
function isEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return false;
  return keys.every((key) => Object.hasOwn(b, key) && isEqual(Reflect.get(a, key), Reflect.get(b, key)));
}
