import type { HttpMatch, StringMatch } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import { Claims } from "../authn/claims.ts";
import { compileHttpMatch, isCatchAll } from "./http-match.ts";
import { attributes, httpMatch, type TestRequest } from "./testdata/builders.ts";

const exact = (value: string): StringMatch => ({ kind: "exact", value });
const prefix = (value: string): StringMatch => ({ kind: "prefix", value });
const regex = (value: string): StringMatch => ({ kind: "regex", value });
const present: StringMatch = { kind: "present" };

type Row = readonly [fields: Partial<HttpMatch>, request: TestRequest, holds: boolean];

function check([fields, request, holds]: Row): void {
  expect(compileHttpMatch(httpMatch(fields))(attributes(request))).toBe(holds);
}

describe("uri", () => {
  it.each<Row>([
    [{}, { path: "/any?x" }, true],
    [{ uri: exact("/a") }, { path: "/a?x=1" }, true],
    [{ uri: exact("/a") }, { path: "/a/" }, false],
    [{ uri: exact("/a") }, { path: "/A" }, false],
    [{ uri: prefix("/app") }, { path: "/apple?x" }, true],
    [{ uri: prefix("/app") }, { path: "/ap" }, false],
    [{ uri: prefix("/a?x") }, { path: "/a?x" }, false],
    [{ uri: prefix("") }, { path: "/" }, true],
    [{ uri: regex("/a.*") }, { path: "/abc?x" }, true],
    [{ uri: regex("/a") }, { path: "/abc" }, false],
    [{ uri: regex("a") }, { path: "/a" }, false],
    [{ uri: exact("/A"), ignoreUriCase: true }, { path: "/a" }, true],
    [{ uri: prefix("/Ap"), ignoreUriCase: true }, { path: "/aPple" }, true],
    [{ uri: regex("/A"), ignoreUriCase: true }, { path: "/a" }, false],
    [{ uri: regex("/\\S"), ignoreUriCase: true }, { path: "/x" }, true],
    [{ uri: exact("/é") }, { path: "/\u00c3\u00a9" }, true],
  ])("%j with %j: %s", (...row) => check(row));
});

describe("scheme, method and authority", () => {
  it.each<Row>([
    [{ scheme: exact("https") }, { scheme: "https" }, true],
    [{ scheme: exact("HTTPS") }, { scheme: "https" }, false],
    [{ scheme: regex("\\S+") }, { scheme: "https" }, true],
    [{ method: exact("GET") }, { method: "GET" }, true],
    [{ method: exact("get") }, { method: "GET" }, false],
    [{ method: regex("GET|PUT") }, { method: "PUT" }, true],
    [{ authority: exact("example.com") }, { host: "example.com" }, true],
    [{ authority: exact("example.com") }, { host: "example.com:80" }, false],
    [{ authority: exact("example.com") }, { host: "Example.com" }, false],
    [{ authority: prefix("example") }, { host: "example.com:80" }, true],
  ])("%j with %j: %s", (...row) => check(row));
});

describe("headers", () => {
  const header = (name: string, match: StringMatch) => ({ headers: [{ name, match }] });
  const lines = (...values: readonly string[]) => ({ headers: values.map((value) => ["x-a", value] as const) });

  it.each<Row>([
    [header("x-a", exact("v")), lines("v"), true],
    [header("x-a", exact("v")), lines("V"), false],
    [header("x-a", exact("v")), lines(), false],
    [header("x-a", exact("b")), lines("a", "b"), true],
    [header("x-a", exact("a,b")), lines("a", "b"), false],
    [header("x-a", prefix("v")), lines("vw"), true],
    [header("x-a", regex("v.")), lines("vw"), true],
    [header("x-a", regex("v")), lines("vw"), false],
    [header("x-a", present), lines(""), true],
    [header("x-a", present), lines(), false],
    [header(":method", exact("PUT")), { method: "PUT" }, true],
    [header(":path", exact("/a?b")), { path: "/a?b" }, true],
    [header("host", exact("example.com")), {}, true],
  ])("%j with %j: %s", (...row) => check(row));

  it("compares the path as it was normalised", () => {
    const request = attributes({ path: "/a/../b" });
    const matches = compileHttpMatch(httpMatch(header(":path", exact("/b"))));
    expect([matches(request), matches({ ...request, path: "/b" })]).toEqual([false, true]);
  });
});

describe("withoutHeaders", () => {
  const without = (match: StringMatch) => ({ withoutHeaders: [{ name: "x-a", match }] });
  const lines = (...values: readonly string[]) => ({ headers: values.map((value) => ["x-a", value] as const) });

  it.each<Row>([
    [without(exact("v")), lines(), true],
    [without(exact("v")), lines("v"), false],
    [without(exact("v")), lines("w", "v"), false],
    [without(exact("v")), lines("w", "x"), true],
    [without(exact("")), lines(), false],
    [without(regex(".*")), lines(), false],
    [without(regex(".+")), lines(), true],
    [without(present), lines(), true],
    [without(present), lines(""), false],
  ])("%j with %j: %s", (...row) => check(row));
});

describe("claims", () => {
  const claims = new Claims(
    new Map<string, string | string[] | number>([
      ["group", "admin"],
      ["groups", ["dev", "ops"]],
      ["level", 3],
    ]) as never,
    new Set(["scope"]),
  );
  const claim = (name: string, match: StringMatch) => ({ claims: [{ path: [name], match }] });
  const without = (name: string, match: StringMatch) => ({ withoutClaims: [{ path: [name], match }] });

  it.each([
    ["group", exact("admin"), true],
    ["group", exact("Admin"), false],
    ["group", prefix("ad"), true],
    ["group", regex("a.*n"), true],
    ["group", regex("adm"), false],
    ["group", present, false],
    ["groups", exact("ops"), true],
    ["groups", exact("o"), false],
    ["level", exact("3"), false],
    ["none", exact(""), false],
  ] as const)("%s %j: %s", (name, match, holds) => {
    check([claim(name, match), { claims }, holds]);
    if (match.kind !== "present") check([without(name, match), { claims }, !holds]);
  });

  it("never hold without a token, and their negation then does", () => {
    check([claim("group", regex(".*")), {}, false]);
    check([without("group", regex(".*")), {}, true]);
  });

  it("are not read from a header of that name", () => {
    check([claim("group", exact("admin")), { headers: [["@request.auth.claims.group", "admin"]] }, false]);
  });
});

describe("queryParams", () => {
  const param = (match: StringMatch) => ({ queryParams: [{ name: "k", match }] });

  it.each<Row>([
    [param(exact("v")), { path: "/?k=v" }, true],
    [param(exact("v")), { path: "/?a&k=v#f" }, false],
    [param(exact("v")), { path: "/?k=w&k=v" }, false],
    [param(exact("v")), { path: "/?K=v" }, false],
    [param(exact("v=w")), { path: "/?k=v=w" }, true],
    [param(exact("%76")), { path: "/?k=%76" }, true],
    [param(exact("v")), { path: "/?k=%76" }, false],
    [param(exact("")), { path: "/?k" }, true],
    [param(exact("")), { path: "/?k=" }, true],
    [param(exact("")), { path: "/" }, false],
    [param(present), { path: "/?k" }, true],
    [param(present), { path: "/?kk" }, false],
    [param(prefix("v")), { path: "/?k=vw" }, true],
    [param(regex("v.")), { path: "/?k=vw" }, true],
  ])("%j with %j: %s", (...row) => check(row));
});

it("reads a long query once, however many matches ask about it", () => {
  const tests = Array.from({ length: 200 }, (_, i) =>
    compileHttpMatch(httpMatch({ queryParams: [{ name: `k${i}`, match: exact("v") }] })),
  );
  const path = `/?${"&=".repeat(30_000)}&k7=v`;
  const startedMs = performance.now();
  expect(tests.map((test) => test(attributes({ path }))).indexOf(true)).toBe(7);
  expect(performance.now() - startedMs).toBeLessThan(1000);
  expect(tests[7]?.(attributes({ path: "/" }))).toBe(false);
});

it("asks for all conditions of an entry", () => {
  const both = { uri: prefix("/a"), method: exact("GET") };
  check([both, { path: "/a" }, true]);
  check([both, { path: "/a", method: "PUT" }, false]);
  check([both, { path: "/b" }, false]);
});

it.each<readonly [Partial<HttpMatch>, boolean]>([
  [{}, true],
  [{ uri: prefix("/") }, true],
  [{ uri: regex(".*") }, true],
  [{ uri: prefix("") }, false],
  [{ uri: exact("/") }, false],
  [{ uri: prefix("/"), method: exact("GET") }, false],
  [{ headers: [{ name: "x", match: present }] }, false],
  [{ withoutHeaders: [{ name: "x", match: present }] }, false],
  [{ claims: [{ path: ["x"], match: exact("y") }] }, false],
  [{ queryParams: [{ name: "x", match: present }] }, false],
])("counts %j as a catch-all: %s", (fields, expected) => {
  expect(isCatchAll(httpMatch(fields))).toBe(expected);
});
