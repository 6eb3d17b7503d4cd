import type { MeshConfig } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import { MatchIndex } from "./match-index.ts";
import type { Parts } from "./match-keys.ts";
import { partsOfRule } from "./rule-keys.ts";
import type { PreparedRule } from "./rule-matcher.ts";

/** A change of less than this is kept beside the index. */
const MIN_DELTA = 32;

/** The index is built anew when more than this part of it has changed. */
const MAX_DELTA_SHARE = 1 / 16;

/**
 * The rules of one action of policies with one target. Never changes; a change of policy makes a new one, which shares the index: what is
 * new is indexed beside it, what is gone is passed over. So a small change stays small.
 */
export class RuleSet {
  readonly #mesh: MeshConfig;
  readonly #base: MatchIndex<PreparedRule>;
  readonly #delta: MatchIndex<PreparedRule>;
  readonly #gone: ReadonlySet<PreparedRule>;

  private constructor(
    mesh: MeshConfig,
    base: MatchIndex<PreparedRule>,
    delta: MatchIndex<PreparedRule>,
    gone: ReadonlySet<PreparedRule>,
  ) {
    this.#mesh = mesh;
    this.#base = base;
    this.#delta = delta;
    this.#gone = gone;
  }

  /** @param rules in any order */
  static of(rules: readonly PreparedRule[], mesh: MeshConfig): RuleSet {
    return new RuleSet(mesh, indexOf(rules, mesh), indexOf([], mesh), NONE);
  }

  get size(): number {
    return this.#base.items.length - this.#gone.size + this.#delta.items.length;
  }

  /** Its index takes long to build. */
  get isLarge(): boolean {
    return this.#base.isLarge || this.#delta.isLarge;
  }

  /** Builds the index in short steps. */
  *build(): Generator<void, void, void> {
    yield* this.#base.build();
    yield* this.#delta.build();
  }

  /** The first rule in order, among those with an `order` below a bound, that a request matches. */
  first(attributes: RequestAttributes, below: number): PreparedRule | undefined {
    const found = this.#base.first(attributes, below, this.#gone);
    return this.#delta.first(attributes, found?.order ?? below, NONE) ?? found;
  }

  /** Adds all rules that a request matches to a set. */
  collect(attributes: RequestAttributes, found: Set<PreparedRule>): void {
    this.#base.collect(attributes, found, this.#gone);
    this.#delta.collect(attributes, found, NONE);
  }

  /** The set without some rules and with others. @param removed are rules of this set */
  changed(removed: ReadonlySet<PreparedRule>, added: readonly PreparedRule[]): RuleSet {
    const delta = [...this.#delta.items.filter((rule) => !removed.has(rule)), ...added];
    const inDelta = new Set(this.#delta.items);
    const gone = new Set([...this.#gone, ...[...removed].filter((rule) => !inDelta.has(rule))]);
    const size = this.#base.items.length;
    if (delta.length + gone.size <= Math.max(MIN_DELTA, size * MAX_DELTA_SHARE)) {
      return new RuleSet(this.#mesh, this.#base, indexOf(delta, this.#mesh), gone);
    }
    return RuleSet.of([...this.#base.items.filter((rule) => !gone.has(rule)), ...delta], this.#mesh);
  }
}

const NONE: ReadonlySet<PreparedRule> = new Set();

function indexOf(rules: readonly PreparedRule[], mesh: MeshConfig): MatchIndex<PreparedRule> {
  const partsOf = (rule: PreparedRule): Parts => partsOfRule(rule, mesh);
  return new MatchIndex(
    rules.toSorted((a, b) => a.order - b.order),
    { partsOf, weightOf: valuesOf },
  );
}

/** How many values a rule compares with. */
function valuesOf({ parts: { from, to, when } }: PreparedRule): number {
  let count = 1;
  for (const conditions of [...from, ...to, when]) {
    for (const { condition } of conditions) count += condition.values.length;
  }
  return count;
}
