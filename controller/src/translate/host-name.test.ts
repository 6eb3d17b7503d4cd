import { expect, test } from "vitest";
import { findOverlaps } from "./host-name.ts";

test.each<readonly [readonly string[], readonly (readonly [number, number])[]]>([
  [["a.com", "b.com", "*.c.com"], []],
  [["a.com", "b.com", "a.com"], [[0, 2]]],
  [["a.b.com", "*.com"], [[0, 1]]],
  [["*.com", "*.b.com"], [[0, 1]]],
  [["*.b.com", "*.com"], [[0, 1]]],
  [["*.b.com", "b.com"], []],
  [["*", "a.com"], [[0, 1]]],
  [["*-b.com", "a-b.com"], [[0, 1]]],
])("of %j these cover each other: %j", (hosts, pairs) => {
  expect(findOverlaps(hosts)).toEqual(pairs);
});

test("many hosts cost no more each than a few", () => {
  const hosts = Array.from({ length: 50_000 }, (_, i) => `h${i}.a`);
  const startMs = performance.now();
  expect(findOverlaps(hosts)).toEqual([]);
  expect(performance.now() - startMs).toBeLessThan(5_000);
});
