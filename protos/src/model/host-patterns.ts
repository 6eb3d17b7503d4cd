import { PrefixTrie } from "./prefix-trie.ts";

/** A pattern with what it was given. */
export interface HostEntry<Value> {
  readonly pattern: string;
  readonly value: Value;
}

/**
 * Host patterns, each with a value, indexed for what `coversHost` would have to look for one by one. A look-up costs as much as a host is
 * long and has answers, however many patterns there are.
 */
export class HostPatterns<Value> {
  readonly #all = new Map<string, HostEntry<Value>>();
  readonly #suffixes = new PrefixTrie<HostEntry<Value>>("end");
  readonly #prefixes = new PrefixTrie<HostEntry<Value>>("start");
  #sorted: Sorted | undefined;

  /** @param entries of equal patterns the first counts */
  constructor(entries: Iterable<readonly [pattern: string, value: Value]> = []) {
    for (const [pattern, value] of entries) this.add(pattern, value);
  }

  get size(): number {
    return this.#all.size;
  }

  get entries(): Iterable<HostEntry<Value>> {
    return this.#all.values();
  }

  /** A pattern that is known keeps its value. */
  add(pattern: string, value: Value): void {
    if (this.#all.has(pattern)) return;
    const entry = { pattern, value };
    this.#all.set(pattern, entry);
    this.#sorted = undefined;
    if (!isWildcard(pattern)) return;
    if (pattern.startsWith("*")) this.#suffixes.at(pattern.slice(1), () => entry);
    else this.#prefixes.at(pattern.slice(0, -1), () => entry);
  }

  /** All that cover a host, or a pattern: itself first, then from the widest on, `*.suffix` before `prefix.*`. */
  covering(host: string): readonly HostEntry<Value>[] {
    const own = this.#all.get(host);
    const found: HostEntry<Value>[] = own === undefined ? [] : [own];
    this.#suffixes.collect(host, found);
    this.#prefixes.collect(host, found);
    const any = this.#all.get("*");
    return found
      .filter((entry, at) => (at === 0 && own !== undefined) || (entry !== own && hasRoom(entry.pattern, host)))
      .concat(any !== undefined && host === "" ? [any] : []);
  }

  /** The patterns that a wildcard covers, itself left out. */
  coveredBy(wildcard: string): readonly string[] {
    if (wildcard === "*") return [...this.#all.keys()].filter((pattern) => pattern !== "*");
    this.#sorted ??= sortBothWays([...this.#all.keys()]);
    const isSuffix = wildcard.startsWith("*");
    const fixed = isSuffix ? wildcard.slice(1) : wildcard.slice(0, -1);
    const found = isSuffix
      ? startingWith(this.#sorted.backwards, reversed(fixed)).map(reversed)
      : startingWith(this.#sorted.forwards, fixed);
    return found.filter((pattern) => pattern !== wildcard && pattern.length > fixed.length);
  }
}

/** What `intersectHosts` finds between any pattern of one side and any of the other. Costs as much as the smaller side has, and what is found. */
export function commonHosts(one: HostPatterns<unknown>, other: HostPatterns<unknown>): ReadonlySet<string> {
  const [few, many] = one.size < other.size ? [one, other] : [other, one];
  const common = new Set<string>();
  for (const { pattern } of few.entries) {
    if (many.covering(pattern).length > 0) common.add(pattern);
    // What a nested one covers is found with the widest.
    if (!isWildcard(pattern) || few.covering(pattern).some((wider) => contains(wider.pattern, pattern))) continue;
    for (const covered of many.coveredBy(pattern)) common.add(covered);
  }
  return common;
}

/** All that a wildcard covers, the other covers as well. Not so with `*.*` and `a.*`: the first is about the last characters. */
function contains(wider: string, wildcard: string): boolean {
  return wider !== wildcard && (wider === "*" || wider.startsWith("*") === wildcard.startsWith("*"));
}

function isWildcard(pattern: string): boolean {
  return pattern.startsWith("*") || pattern.endsWith("*");
}

/** A star stands for at least one character. */
function hasRoom(pattern: string, host: string): boolean {
  return host.length > pattern.length - 1;
}

/** All patterns in order, from their first character and from their last. */
interface Sorted {
  readonly forwards: readonly string[];
  readonly backwards: readonly string[];
}

function sortBothWays(patterns: readonly string[]): Sorted {
  return { forwards: patterns.toSorted(byCodeUnits), backwards: patterns.map(reversed).toSorted(byCodeUnits) };
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function startingWith(sorted: readonly string[], prefix: string): readonly string[] {
  const from = firstWhere(sorted, (text) => text >= prefix);
  const to = firstWhere(sorted, (text) => text >= prefix && !text.startsWith(prefix));
  return sorted.slice(from, to);
}

/** By halves. @param isPast false up to some place, and true from there on */
function firstWhere(sorted: readonly string[], isPast: (text: string) => boolean): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isPast(sorted[middle] ?? "")) high = middle;
    else low = middle + 1;
  }
  return low;
}

function reversed(text: string): string {
  return text.split("").toReversed().join("");
}
