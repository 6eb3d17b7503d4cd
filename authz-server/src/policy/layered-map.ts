/** So few changes are kept beside the base in any case. */
const MIN_CHANGES = 32;

/** The base is made anew when more than this part of it has changed. */
const MAX_CHANGED_SHARE = 1 / 16;

/**
 * A map that never changes; a change makes a new one, which shares what it is based on. So a change costs what is changed, and not what
 * there is. Entries are in the order in which they were added, as in a Map.
 */
export class LayeredMap<Value extends object> {
  readonly #base: ReadonlyMap<string, Value>;
  /** What is different from the base; undefined is gone. */
  readonly #changes: ReadonlyMap<string, Value | undefined>;
  readonly size: number;

  private constructor(base: ReadonlyMap<string, Value>, changes: ReadonlyMap<string, Value | undefined>) {
    this.#base = base;
    this.#changes = changes;
    let size = base.size;
    for (const [key, value] of changes) size += Number(value !== undefined) - Number(base.has(key));
    this.size = size;
  }

  static empty<Value extends object>(): LayeredMap<Value> {
    return new LayeredMap<Value>(new Map(), new Map());
  }

  get(key: string): Value | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key);
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  *entries(): Generator<[string, Value], void, void> {
    for (const [key, value] of this.#base) {
      const current = this.#changes.has(key) ? this.#changes.get(key) : value;
      if (current !== undefined) yield [key, current];
    }
    for (const [key, value] of this.#changes) {
      if (value !== undefined && !this.#base.has(key)) yield [key, value];
    }
  }

  *keys(): Generator<string, void, void> {
    for (const [key] of this.entries()) yield key;
  }

  *values(): Generator<Value, void, void> {
    for (const [, value] of this.entries()) yield value;
  }

  /** The map with other entries. @param changes undefined takes away */
  with(changes: ReadonlyMap<string, Value | undefined>): LayeredMap<Value> {
    const all = new Map(this.#changes);
    let isInOrder = true;
    for (const [key, value] of changes) {
      // What comes back stands at the end, not where it was.
      if (value !== undefined && all.has(key) && all.get(key) === undefined) isInOrder = false;
      if (value === undefined && !this.#base.has(key)) all.delete(key);
      else all.set(key, value);
    }
    if (isInOrder && all.size <= Math.max(MIN_CHANGES, this.#base.size * MAX_CHANGED_SHARE)) {
      return new LayeredMap(this.#base, all);
    }
    const base = new Map(this.entries());
    for (const [key, value] of changes) {
      if (value === undefined) base.delete(key);
      else base.set(key, value);
    }
    return new LayeredMap(base, new Map());
  }
}
