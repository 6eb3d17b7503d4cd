import type { RequestAttributes } from "../authz/attributes.ts";
import type { TextKey } from "./text-index.ts";

/** Something of a request that rules or routes can be found by. */
export interface Dimension {
  /** Equal only for what reads the same. */
  readonly id: string;
  /** Below 1, for choices between equals: what reading it costs. */
  readonly cost: number;
  /** The texts to look up. */
  readonly read: (attributes: RequestAttributes) => string | readonly string[] | undefined;
}

/** A pattern that what is read may fit. */
export interface MatchKey {
  readonly dimension: Dimension;
  readonly key: TextKey;
  /** Equal for equal keys. */
  readonly name: string;
}

/** The keys of one condition: a request that fits none of them does not meet it. */
export type ConditionKeys = readonly MatchKey[];

/** What stands for one alternative: the keys of each of its conditions, all of which must be met. */
export type Alternative = readonly ConditionKeys[];

/** Alternatives, one of which must be met. */
export type Part = readonly Alternative[];

/** All of these must be met; what has no keys is left out. */
export type Parts = readonly Part[];

/**
 * The keys of a condition by its patterns.
 * @param keys one of them undefined: a pattern that has no key
 * @returns undefined when there are none, or one that fits nearly every request
 */
export function conditionKeys(dimension: Dimension, keys: readonly (TextKey | undefined)[]): ConditionKeys | undefined {
  const found: MatchKey[] = [];
  for (const key of keys) {
    if (key === undefined || !isSelective(key)) return undefined;
    found.push({ dimension, key, name: `${dimension.id}\n${key.kind}\n${key.value}` });
  }
  return found.length === 0 ? undefined : found;
}

/** The prefix `/` fits every path. */
function isSelective({ kind, value }: TextKey): boolean {
  return kind === "exact" || value.length > 1;
}
