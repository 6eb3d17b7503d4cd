import { hash } from "node:crypto";

/** A reproducible source of choices: the same seed makes the same choices. */
export interface Random {
  /** A whole number in [0, below). */
  int(below: number): number;
  /** True with this probability. */
  chance(probability: number): boolean;
  /** One of the values. Throws for an empty list. */
  pick<T>(values: readonly T[]): T;
  /** Between `least` and `most` of the values, distinct, in their order. */
  some<T>(values: readonly T[], least: number, most: number): readonly T[];
  /** A value by weight. */
  weighted<T>(choices: readonly (readonly [weight: number, value: T])[]): T;
}

/** @param seed any text */
export function createRandom(seed: string): Random {
  let state = Number.parseInt(hash("sha256", seed).slice(0, 8), 16);
  // mulberry32: small, and good enough to choose tests.
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (below: number): number => Math.floor(next() * below);
  const pick = <T>(values: readonly T[]): T => {
    const picked = values.slice(int(values.length))[0];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  };
  return {
    int,
    pick,
    chance: (probability) => next() < probability,
    some: (values, least, most) => {
      const count = Math.min(values.length, least + int(most - least + 1));
      const order = values.map((_, index) => ({ index, rank: next() })).sort((a, b) => a.rank - b.rank);
      const chosen = new Set(order.slice(0, count).map(({ index }) => index));
      return values.filter((_, index) => chosen.has(index));
    },
    weighted: (choices) => {
      let left = next() * choices.reduce((sum, [weight]) => sum + weight, 0);
      const found = choices.find(([weight]) => {
        left -= weight;
        return left < 0;
      });
      return found === undefined ? pick(choices)[1] : found[1];
    },
  };
}
