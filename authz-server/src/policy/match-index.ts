import type { RequestAttributes } from "../authz/attributes.ts";
import type { Alternative, ConditionKeys, Dimension, MatchKey, Part, Parts } from "./match-keys.ts";
import { TextIndex } from "./text-index.ts";

/** What is found: a rule, or a route. */
export interface Candidate {
  /** Of several that match, the one with the lowest counts. */
  readonly order: number;
  readonly matches: (attributes: RequestAttributes) => boolean;
}

/** So few are asked one by one. */
const FEW = 8;

/** Each dimension costs every request a look-up. */
const MAX_DIMENSIONS = 12;

/**
 * Finds the candidates that match a request, at a cost that does not grow with those that don't. Each stands under the one of its
 * conditions that it shares with the fewest others; where it shares even that with many, those are indexed again by another one.
 * The index only narrows: what it finds is more than what matches, never less, and each candidate decides for itself. It is built when
 * it is first asked.
 */
export class MatchIndex<Item extends Candidate> {
  /** In ascending `order`. */
  readonly items: readonly Item[];
  readonly #how: Indexing<Item>;
  #weight: number | undefined;
  #built: Built<Item> | undefined;

  /** @param items in ascending `order`; may grow until the index is first asked */
  constructor(items: readonly Item[], how: Indexing<Item>) {
    this.items = items;
    this.#how = how;
  }

  /** The first in order, among those with an `order` below a bound, that matches. @param gone are passed over */
  first(attributes: RequestAttributes, below: number, gone: ReadonlySet<Item>): Item | undefined {
    if (this.items.length <= FEW) return firstOf(this.items, attributes, { below, gone });
    const { rest, dimensions } = this.#narrowed();
    let found = firstOf(rest, attributes, { below, gone });
    for (const dimension of dimensions) {
      for (const bucket of dimension.bucketsFor(attributes)) {
        found = bucket.index.first(attributes, found?.order ?? below, gone) ?? found;
      }
    }
    return found;
  }

  /** Adds all that match to a set. @param gone are passed over */
  collect(attributes: RequestAttributes, found: Set<Item>, gone: ReadonlySet<Item>): void {
    const isFew = this.items.length <= FEW;
    const { rest, dimensions } = isFew ? { rest: this.items, dimensions: [] } : this.#narrowed();
    for (const item of rest) if (!gone.has(item) && item.matches(attributes)) found.add(item);
    for (const dimension of dimensions) {
      for (const bucket of dimension.bucketsFor(attributes)) bucket.index.collect(attributes, found, gone);
    }
  }

  get isLarge(): boolean {
    if (this.items.length <= FEW) return false;
    this.#weight ??= this.items.reduce((sum, item) => sum + this.#how.weightOf(item), 0);
    return this.#weight >= LARGE;
  }

  /** Builds what is large in short steps, so that no request has to wait for it. */
  *build(): Generator<void, void, void> {
    if (!this.isLarge || this.#built !== undefined) return;
    this.#built = yield* build(this.items, this.#how);
    for (const dimension of this.#built.dimensions) {
      for (const { index } of dimension.largeBuckets()) yield* index.build();
    }
  }

  #narrowed(): Built<Item> {
    this.#built ??= atOnce(build(this.items, this.#how));
    return this.#built;
  }
}

/** What candidates are found by. */
export interface Indexing<Item> {
  readonly partsOf: (item: Item) => Parts;
  /** About how many keys that makes: a single rule can have thousands. */
  readonly weightOf: (item: Item) => number;
}

/** What weighs less is built in some milliseconds. */
const LARGE = 1000;

/** What is looked at in one step, by weight. */
const WEIGHT_PER_STEP = 1000;

function atOnce<Result>(steps: Generator<void, Result, void>): Result {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

interface Limits<Item> {
  readonly below: number;
  readonly gone: ReadonlySet<Item>;
}

function firstOf<Item extends Candidate>(
  items: readonly Item[],
  attributes: RequestAttributes,
  { below, gone }: Limits<Item>,
): Item | undefined {
  for (const item of items) {
    if (item.order >= below) return undefined;
    if (item.matches(attributes) && !gone.has(item)) return item;
  }
  return undefined;
}

interface Built<Item extends Candidate> {
  /** Those that no condition sets apart. */
  readonly rest: readonly Item[];
  readonly dimensions: readonly BuiltDimension<Item>[];
}

/** What stands under one key. */
interface Bucket<Item extends Candidate> {
  readonly items: Item[];
  readonly index: MatchIndex<Item>;
}

class BuiltDimension<Item extends Candidate> {
  readonly #read: Dimension["read"];
  readonly #how: Indexing<Item>;
  readonly #texts = new TextIndex<Bucket<Item>>();
  readonly #buckets: Bucket<Item>[] = [];

  constructor(read: Dimension["read"], how: Indexing<Item>) {
    this.#read = read;
    this.#how = how;
  }

  add({ key }: MatchKey, item: Item): void {
    const { items } = this.#texts.at(key, () => this.#newBucket());
    // Two values of one condition may be the same key.
    if (items.at(-1) !== item) items.push(item);
  }

  largeBuckets(): readonly Bucket<Item>[] {
    return this.#buckets.filter(({ index }) => index.isLarge);
  }

  bucketsFor(attributes: RequestAttributes): readonly Bucket<Item>[] {
    const buckets: Bucket<Item>[] = [];
    const texts = this.#read(attributes);
    if (texts === undefined) return buckets;
    if (typeof texts === "string") {
      this.#texts.collect(texts, buckets);
      return buckets;
    }
    for (const text of texts) this.#texts.collect(text, buckets);
    // A client may send a header a hundred times; with each level of indexes below, what it costs would be multiplied again.
    return buckets.length > 1 ? [...new Set(buckets)] : buckets;
  }

  #newBucket(): Bucket<Item> {
    const items: Item[] = [];
    const bucket = { items, index: new MatchIndex(items, this.#how) };
    this.#buckets.push(bucket);
    return bucket;
  }
}

function* build<Item extends Candidate>(
  items: readonly Item[],
  how: Indexing<Item>,
): Generator<void, Built<Item>, void> {
  let weight = 0;
  const isStepFull = (item: Item): boolean => {
    weight += how.weightOf(item);
    if (weight < WEIGHT_PER_STEP) return false;
    weight = 0;
    return true;
  };
  const parts: Parts[] = [];
  const shares = new Shares(items.length / 2);
  for (const item of items) {
    const own = how.partsOf(item);
    parts.push(own);
    shares.count(own);
    if (isStepFull(item)) yield;
  }
  const chosen: ConditionKeys[] = [];
  for (const [i, item] of items.entries()) {
    chosen.push(shares.rarest(parts[i] ?? []));
    if (isStepFull(item)) yield;
  }
  const worthwhile = mostUsed(chosen);
  yield;
  const dimensions = new Map<string, BuiltDimension<Item>>();
  const rest: Item[] = [];
  for (const [i, item] of items.entries()) {
    if (isStepFull(item)) yield;
    const keys = chosen[i] ?? [];
    if (keys.length === 0 || keys.some(({ dimension }) => !worthwhile.has(dimension.id))) {
      rest.push(item);
      continue;
    }
    for (const key of keys) {
      const { id, read } = key.dimension;
      const dimension = dimensions.get(id) ?? new BuiltDimension(read, how);
      dimensions.set(id, dimension);
      dimension.add(key, item);
    }
  }
  return { rest, dimensions: [...dimensions.values()] };
}

/** The dimensions that set the most candidates apart. */
function mostUsed(chosen: readonly ConditionKeys[]): ReadonlySet<string> {
  const uses = new Map<string, number>();
  for (const keys of chosen) {
    for (const id of new Set(keys.map(({ dimension }) => dimension.id))) uses.set(id, (uses.get(id) ?? 0) + 1);
  }
  const ranked = [...uses].toSorted(([, a], [, b]) => b - a).slice(0, MAX_DIMENSIONS);
  return new Set(ranked.map(([id]) => id));
}

/** How many candidates share each key. */
class Shares {
  readonly #counts = new Map<string, number>();
  readonly #most: number;

  /** @param most a key that more share sets nothing apart */
  constructor(most: number) {
    this.#most = most;
  }

  count(parts: Parts): void {
    const names = new Set<string>();
    for (const part of parts) {
      for (const alternative of part) for (const keys of alternative) for (const { name } of keys) names.add(name);
    }
    for (const name of names) this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** The keys to put a candidate under; none where nothing sets it apart. */
  rarest(parts: Parts): ConditionKeys {
    const best = this.#best(
      parts.map((part: Part) => part.flatMap((alternative: Alternative) => this.#best(alternative))),
    );
    return this.#shareOf(best) < this.#most + 1 ? best : [];
  }

  #best(choices: readonly ConditionKeys[]): ConditionKeys {
    let [best = [], ...others] = choices;
    if (others.length === 0) return best;
    let least = this.#shareOf(best);
    for (const keys of others) {
      const share = this.#shareOf(keys);
      if (share >= least) continue;
      best = keys;
      least = share;
    }
    return best;
  }

  /** Of the key that is shared the most: how many are found by it at once. */
  #shareOf(keys: ConditionKeys): number {
    let most = 0;
    for (const { name, dimension } of keys) most = Math.max(most, (this.#counts.get(name) ?? 0) + dimension.cost);
    return most;
  }
}
