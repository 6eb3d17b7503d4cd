import { type HttpMatch, NO_CONDITIONS, type StringMatch, type VirtualService } from "@gatehouse/protos";
import { expect, test } from "vitest";
import { regexBytes } from "./regex-bytes.ts";

const LARGE: StringMatch = { kind: "regex", value: "x{1000}" };
const ROOM = 64 * (2000 - 16 * LARGE.value.length);

function bytesOf(...matches: readonly Partial<HttpMatch>[]): number {
  const operations = { set: [], add: [], remove: [] };
  const service: VirtualService = {
    kind: "VirtualService",
    meta: { namespace: "foo", name: "v", createdAtMs: 0, minReaderVersion: 1, unenforceable: "" },
    hosts: ["a.com"],
    gateways: ["foo/gw"],
    exportTo: [],
    keepsHosts: false,
    refusedHosts: [],
    http: matches.map((match, index) => ({
      index,
      name: "",
      match: [{ ...NO_CONDITIONS, ...match }],
      action: { kind: "directResponse", status: 200, body: "" },
      requestHeaders: operations,
      responseHeaders: operations,
      rewrite: null,
      timeoutMs: null,
      retries: null,
      fault: null,
      cors: null,
    })),
  };
  return regexBytes(service);
}

test.each<[string, Partial<HttpMatch>]>([
  ["uri", { uri: LARGE }],
  ["headers", { headers: [{ name: "x", match: LARGE }] }],
  ["claims", { withoutClaims: [{ path: ["a"], match: LARGE }] }],
  ["queryParams", { queryParams: [{ name: "q", match: LARGE }] }],
])("counts a large expression in %s", (_, match) => {
  expect(bytesOf(match)).toBe(ROOM);
});

test("counts equal ones once, and usual ones not at all", () => {
  const usual: StringMatch = { kind: "regex", value: "/users/[0-9a-f]{32}/(items|orders)/.*" };
  expect(
    bytesOf({ uri: LARGE }, { authority: LARGE }, { uri: usual }, { uri: { kind: "exact", value: "x{1000}" } }),
  ).toBe(ROOM);
});
