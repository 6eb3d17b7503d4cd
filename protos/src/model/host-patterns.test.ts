import fc from "fast-check";
import { expect, it } from "vitest";
import { coversHost, intersectHosts } from "./host-pattern.ts";
import { commonHosts, HostPatterns } from "./host-patterns.ts";

const label = fc.constantFrom("a", "b", "foo", "Foo", "com", "", "*", "é");
const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join("."));
const pattern = fc.oneof(
  name,
  name.map((host) => `*.${host}`),
  name.map((host) => `*${host}`),
  name.map((host) => `${host}.*`),
  name.map((host) => `${host}*`),
  fc.constantFrom("*", "**", "*.*", "", "*.com", "*.foo.com", "*.a.foo.com", "a.*", "a.foo.*"),
);
const patterns = fc.array(pattern, { maxLength: 12 });
const indexOf = (hosts: readonly string[]) => new HostPatterns(hosts.map((host, at) => [host, at]));

it("finds what comparing each with each finds", () => {
  fc.assert(
    fc.property(patterns, patterns, (offered, wanted) => {
      const pairs = offered.flatMap((a) => wanted.map((b) => intersectHosts(a, b)));
      const expected = new Set(pairs.filter((common) => common !== undefined));
      expect(commonHosts(indexOf(offered), indexOf(wanted))).toEqual(expected);
    }),
    { numRuns: 2000 },
  );
});

it("finds all that cover a host, and all that a wildcard covers", () => {
  fc.assert(
    fc.property(patterns, pattern, (hosts, host) => {
      const all = [...new Set(hosts)];
      const index = indexOf(hosts);
      const covering = index.covering(host).map((entry) => entry.pattern);
      expect(covering.toSorted()).toEqual(all.filter((other) => coversHost(other, host)).toSorted());
      if (covering.includes(host)) expect(covering[0]).toBe(host);
      if (!host.startsWith("*") && !host.endsWith("*")) return;
      const covered = all.filter((other) => other !== host && coversHost(host, other));
      expect(index.coveredBy(host).toSorted()).toEqual(covered.toSorted());
    }),
    { numRuns: 2000 },
  );
});

it("names what covers a host from the widest on, the host itself first", () => {
  const index = indexOf(["*.a.com", "a.*", "x.a.com", "*", "*.com"]);
  const covering = (host: string) => index.covering(host).map(({ pattern: found }) => found);
  expect(covering("x.a.com")).toEqual(["x.a.com", "*", "*.com", "*.a.com"]);
  expect(covering("*.a.com")).toEqual(["*.a.com", "*", "*.com"]);
  expect(covering("a.com")).toEqual(["*", "*.com", "a.*"]);
});

const names = (count: number, toName: (at: number) => string) => Array.from({ length: count }, (_, at) => toName(at));

it.each([
  ["exact names", names(6000, (at) => `a${at}.x.com`), names(20_000, (at) => `b${at}.x.com`)],
  ["wildcards", names(6000, (at) => `*.a${at}.x.com`), names(20_000, (at) => `*.b${at}.x.com`)],
  ["names below wildcards", names(6000, (at) => `a.b${at}.x.com`), names(20_000, (at) => `*.b${at}.x.com`)],
  ["nested wildcards", names(1000, (at) => `*${"a".repeat(at)}`), names(1000, (at) => `*${"a".repeat(at + 500)}`)],
  [
    "names below nested wildcards",
    names(1000, (at) => `x${at}${"a".repeat(1000)}`),
    names(1000, (at) => `*${"a".repeat(at)}`),
  ],
])("compares thousands with thousands in time near to their number: %s", (_, offered, wanted) => {
  const before = process.cpuUsage();
  commonHosts(indexOf(offered), indexOf(wanted));
  const { user, system } = process.cpuUsage(before);
  // Comparing each with each took 3 s and more.
  expect((user + system) / 1000).toBeLessThan(1000);
});
