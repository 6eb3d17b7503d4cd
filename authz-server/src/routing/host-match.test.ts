import { intersectHosts } from "@gatehouse/protos";
import fc from "fast-check";
import { expect, it } from "vitest";
import { compileHosts, findVirtualHost } from "./host-match.ts";

const PATTERNS = ["a.foo.com", "*.foo.com", "*.b.foo.com", "*-x.foo.com", "foo.*", "foo.bar.*"];
const find = (patterns: readonly string[], authority: string) =>
  findVirtualHost({ findHost: compileHosts(new Map(patterns.map((pattern) => [pattern, pattern]))) }, authority);

it.each([
  ["a.foo.com", "a.foo.com"],
  ["a.foo.com:8080", "a.foo.com"],
  ["z.foo.com", "*.foo.com"],
  ["z.b.foo.com", "*.b.foo.com"],
  ["b.foo.com", "*.foo.com"],
  ["y-x.foo.com", "*-x.foo.com"],
  [".foo.com", undefined],
  ["foo.com", "foo.*"],
  ["foo.bar.org", "foo.bar.*"],
  ["foo.", undefined],
  ["other.org", undefined],
  ["", undefined],
])("finds for %j the host %j", (authority, expected) => {
  expect(find(PATTERNS, authority)).toBe(expected);
});

it("takes * where nothing else fits, and only there", () => {
  expect(find(["*", "*.foo.com"], "x.org")).toBe("*");
  expect(find(["*", "*.foo.com"], "")).toBe("*");
  expect(find(["*", "*.foo.com"], "x.foo.com")).toBe("*.foo.com");
});

it.each([
  ["[::1]:80", "[::1]"],
  ["[::1]", "[::1]"],
  ["h:", "h"],
  ["h:8a", undefined],
])("reads the port off %j", (authority, expected) => {
  expect(find(["[::1]", "h"], authority)).toBe(expected);
});

it.each([
  ["*", "a.com", "a.com"],
  ["*.com", "*.foo.com", "*.foo.com"],
  ["a.foo.com", "*.foo.com", "a.foo.com"],
  ["foo.com", "*.foo.com", undefined],
  ["*.foo.com", "*.bar.com", undefined],
  ["a.com", "a.com", "a.com"],
])("intersects %j and %j to %j", (a, b, expected) => {
  expect([intersectHosts(a, b), intersectHosts(b, a)]).toEqual([expected, expected]);
});

it("finds a host exactly if some pattern covers it, and the longest of its kind", () => {
  const label = fc.constantFrom("a", "b", "foo", "com");
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
  const pattern = fc.oneof(
    name,
    name.map((host) => `*.${host}`),
    fc.constant("*"),
  );
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 5 }), name, (patterns, host) => {
      const covering = patterns.filter((candidate) => intersectHosts(candidate, host) === host);
      const rank = (candidate: string) => (candidate === host ? 1000 : candidate.length);
      const best = covering.toSorted((a, b) => rank(b) - rank(a))[0];
      expect(find(patterns, host)).toBe(best);
    }),
  );
});
