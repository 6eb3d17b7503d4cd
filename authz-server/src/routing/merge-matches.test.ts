import type { HttpMatch, StringMatch } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import { mergeMatches } from "./merge-matches.ts";
import { httpMatch } from "./testdata/builders.ts";

const exact = (value: string): StringMatch => ({ kind: "exact", value });
const prefix = (value: string): StringMatch => ({ kind: "prefix", value });
const regex = (value: string): StringMatch => ({ kind: "regex", value });
const named = (match: StringMatch) => [{ name: "x-a", match }];
const claimed = (match: StringMatch) => [{ path: ["a"], match }];

function merge(root: Partial<HttpMatch>, own: Partial<HttpMatch>): HttpMatch | null {
  const merged = mergeMatches([httpMatch(root)], [httpMatch(own)]);
  return merged?.[0] ?? null;
}

describe("entries that go together", () => {
  it.each<readonly [Partial<HttpMatch>, Partial<HttpMatch>, Partial<HttpMatch>]>([
    [{ uri: prefix("/a") }, {}, { uri: prefix("/a") }],
    [{}, { uri: regex("/a.*") }, { uri: regex("/a.*") }],
    [{ uri: prefix("/a") }, { uri: prefix("/a/b") }, { uri: prefix("/a/b") }],
    [{ uri: prefix("/a") }, { uri: exact("/a/b") }, { uri: exact("/a/b") }],
    [{ uri: exact("/a") }, { uri: exact("/a") }, { uri: exact("/a") }],
    [
      { method: exact("GET"), scheme: exact("https") },
      { authority: exact("h") },
      { method: exact("GET"), scheme: exact("https"), authority: exact("h") },
    ],
    [{ headers: named(prefix("a")) }, { headers: named(exact("ab")) }, { headers: named(exact("ab")) }],
    [{ claims: claimed(prefix("a")) }, { claims: claimed(exact("ab")) }, { claims: claimed(exact("ab")) }],
    [
      { withoutHeaders: named(prefix("a")) },
      { withoutHeaders: named(exact("ab")) },
      { withoutHeaders: [...named(prefix("a")), ...named(exact("ab"))] },
    ],
    [{ port: 80 }, {}, { port: 80 }],
    [{ name: "r" }, { name: "d" }, { name: "r-d" }],
    [{ gateways: ["a/b", "a/c"] }, { gateways: ["a/b"] }, { gateways: ["a/b"] }],
    [
      { sourceLabels: [{ name: "a", value: "1" }] },
      { sourceLabels: [{ name: "b", value: "2" }], sourceNamespace: "n" },
      {
        sourceLabels: [
          { name: "a", value: "1" },
          { name: "b", value: "2" },
        ],
        sourceNamespace: "n",
      },
    ],
  ])("%j and %j", (root, own, expected) => {
    expect(merge(root, own)).toEqual(httpMatch(expected));
  });
});

describe("entries in conflict", () => {
  it.each<readonly [Partial<HttpMatch>, Partial<HttpMatch>]>([
    [{ uri: prefix("/a/b") }, { uri: prefix("/a") }],
    [{ uri: exact("/a") }, { uri: prefix("/a") }],
    [{ uri: exact("/a") }, { uri: exact("/b") }],
    [{ uri: regex("/a") }, { uri: regex("/a") }],
    [{ uri: prefix("/a") }, { uri: regex("/a.*") }],
    [{ method: exact("GET") }, { method: exact("PUT") }],
    [{ headers: named(exact("a")) }, { headers: named(exact("b")) }],
    [{ headers: named({ kind: "present" }) }, { headers: named(exact("b")) }],
    [{ claims: claimed(exact("a")) }, { claims: claimed(prefix("a")) }],
    [{ queryParams: named(exact("a")) }, { queryParams: named(exact("b")) }],
    [{ ignoreUriCase: true }, {}],
    [{ port: 80 }, { port: 443 }],
    [{ sourceNamespace: "a" }, { sourceNamespace: "b" }],
    [{ sourceLabels: [{ name: "a", value: "1" }] }, { sourceLabels: [{ name: "a", value: "2" }] }],
    [{ gateways: ["a/b"] }, { gateways: ["a/c"] }],
  ])("%j and %j", (root, own) => {
    expect(merge(root, own)).toBe(null);
  });
});

it("combines each with each, and leaves out pairs in conflict", () => {
  const root = [httpMatch({ uri: prefix("/a") }), httpMatch({ method: exact("GET") })];
  const merged = mergeMatches(root, [httpMatch({ uri: prefix("/a/1") }), httpMatch({ uri: prefix("/b") })]);
  expect(merged).toEqual([
    httpMatch({ uri: prefix("/a/1") }),
    httpMatch({ method: exact("GET"), uri: prefix("/a/1") }),
    httpMatch({ method: exact("GET"), uri: prefix("/b") }),
  ]);
});

it("drops the whole route when one of its entries fits nothing of the root", () => {
  const own = [httpMatch({ uri: prefix("/a/1") }), httpMatch({ uri: prefix("/b") })];
  expect(mergeMatches([httpMatch({ uri: prefix("/a") })], own)).toBe(null);
});

it("takes the other side's entries where one has none", () => {
  const entries = [httpMatch({ uri: prefix("/a") })];
  expect([mergeMatches([], entries), mergeMatches(entries, [])]).toEqual([entries, entries]);
});
