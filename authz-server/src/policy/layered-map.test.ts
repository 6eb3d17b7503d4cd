import fc from "fast-check";
import { expect, test } from "vitest";
import { LayeredMap } from "./layered-map.ts";

interface Item {
  readonly id: number;
}

const key = fc.integer({ min: 0, max: 60 }).map((n) => `k${n}`);
const value = fc.option(
  fc.nat().map((id): Item => ({ id })),
  { nil: undefined },
);
const change = fc.array(fc.tuple(key, value), { maxLength: 40 }).map((entries) => new Map(entries));

test("has what a Map has after the same changes, in the same order, and keeps what it was before each", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 12 }), (changes) => {
      const expected = new Map<string, Item>();
      let map = LayeredMap.empty<Item>();
      const earlier: [LayeredMap<Item>, [string, Item][]][] = [];
      for (const entries of changes) {
        for (const [name, item] of entries) {
          if (item === undefined) expected.delete(name);
          else expected.set(name, item);
        }
        map = map.with(entries);
        earlier.push([map, [...expected]]);
      }
      for (const [then, entries] of earlier) {
        expect([...then.entries()]).toEqual(entries);
        expect([...then.keys()]).toEqual(entries.map(([name]) => name));
        expect([...then.values()]).toEqual(entries.map(([, item]) => item));
        expect(then.size).toBe(entries.length);
        const known = new Map(entries);
        for (let n = 0; n <= 60; n += 1) {
          expect(then.get(`k${n}`)).toBe(known.get(`k${n}`));
          expect(then.has(`k${n}`)).toBe(known.has(`k${n}`));
        }
      }
    }),
    { numRuns: 300 },
  );
});
