import type { Rewrite } from "@gatehouse/protos";
import { expect, it } from "vitest";
import { prepareRewrite } from "./rewrite.ts";
import { httpMatch } from "./testdata/builders.ts";

const uri = (value: string): Rewrite => ({ uri: value, uriRegex: null, authority: "" });
const uriRegex = (match: string, rewrite: string): Rewrite => ({
  uri: null,
  uriRegex: { match, rewrite },
  authority: "",
});
const matched = (kind: "exact" | "prefix" | "regex", value: string) => httpMatch({ uri: { kind, value } });

// What Envoy 1.40 makes of the same.
it.each([
  ["a prefix", uri("/b"), matched("prefix", "/a"), "/a/x", "/b/x"],
  ["a prefix, character by character", uri("/"), matched("prefix", "/a"), "/a/x", "//x"],
  ["a prefix inside a segment", uri("/b"), matched("prefix", "/a"), "/abc", "/bbc"],
  ["an exact path", uri("/b"), matched("exact", "/a"), "/a", "/b"],
  ["a whole path by regex", uri("/b"), matched("regex", "/a.*"), "/a/x/y", "/b"],
  ["any path", uri("/b/"), null, "/a/x", "/b/a/x"],
  ["any path of a match without uri", uri("/b/"), httpMatch(), "/a", "/b/a"],
  ["all finds of a regex", uriRegex("a+", "<\\0>"), null, "/aab/a", "/<aa>b/<a>"],
  ["groups of a regex", uriRegex("/(\\w+)/(\\w+)", "/\\2/\\1"), null, "/x/y", "/y/x"],
  ["a backslash and a dollar", uriRegex("a", "\\\\$1"), null, "/a", "/\\$1"],
  ["a digit behind a group", uriRegex("/(x)", "/\\10"), null, "/x", "/x0"],
  ["nothing that a regex does not find", uriRegex("z", "y"), null, "/a", "/a"],
  ["nothing where nothing would be left", uriRegex(".*", ""), null, "/a", null],
])("rewrites %s", (...[, rewrite, match, path, expected]) => {
  expect(prepareRewrite(rewrite, match)?.(path)).toBe(expected);
});

it("leaves paths alone without a rewrite of paths", () => {
  expect(prepareRewrite(null, null)).toBe(null);
  expect(prepareRewrite({ uri: null, uriRegex: null, authority: "h" }, null)).toBe(null);
});
