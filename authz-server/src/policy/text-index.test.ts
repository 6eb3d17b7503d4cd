import fc from "fast-check";
import { expect, it } from "vitest";
import { compileTemplate } from "./path-template.ts";
import { TextIndex, type TextKey } from "./text-index.ts";

const text = fc.stringMatching(/^[ab/]{0,6}$/);
const segment = fc.constantFrom("a", "b", "", "{*}", "ab", "a{*}", "{**}b");
const template = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.constantFrom("", "/{**}", "/{**}/a"))
  .map(([segments, end]) => `/${segments.join("/")}${end}`);
const key: fc.Arbitrary<TextKey> = fc.oneof(
  fc.record({ kind: fc.constantFrom("exact" as const, "prefix" as const, "suffix" as const), value: text }),
  fc.record({ kind: fc.constant("template" as const), value: template }),
);

function fits({ kind, value }: TextKey, candidate: string): boolean {
  switch (kind) {
    case "exact":
      return candidate === value;
    case "prefix":
      return candidate.startsWith(value);
    case "suffix":
      return candidate.endsWith(value);
    case "template":
      return compileTemplate(value, true)(candidate);
  }
}

it("finds every pattern that fits, once, and of others only templates", () => {
  fc.assert(
    fc.property(fc.array(key, { maxLength: 12 }), text, (keys, candidate) => {
      const index = new TextIndex<TextKey[]>();
      for (const one of keys) index.at(one, () => []).push(one);
      const buckets: TextKey[][] = [];
      index.collect(candidate, buckets);
      const found = buckets.flat();
      expect(new Set(found).size).toBe(found.length);
      for (const one of keys) {
        if (fits(one, candidate)) expect(found).toContain(one);
        else if (one.kind !== "template") expect(found).not.toContain(one);
      }
    }),
    { numRuns: 3000 },
  );
});

it("does not find templates of other paths", () => {
  const index = new TextIndex<string>();
  for (const one of ["/a/{*}", "/a/{*}/c", "/b/{**}", "/{*}/x"]) {
    index.at({ kind: "template", value: one }, () => one);
  }
  const found: string[] = [];
  index.collect("/a/x", found);
  expect(found).toEqual(["/a/{*}", "/{*}/x"]);
});
