import type { CorsPolicy } from "@gatehouse/protos";
import { expect, it } from "vitest";
import { prepareCors } from "./cors.ts";
import { attributes } from "./testdata/builders.ts";

const REF = { kind: "VirtualService", namespace: "foo", name: "vs" } as const;
const POLICY: CorsPolicy = {
  allowOrigins: [{ kind: "exact", value: "https://a" }],
  allowMethods: ["GET", "PUT"],
  allowHeaders: ["x-a"],
  exposeHeaders: ["x-b"],
  maxAgeSec: 60,
  allowCredentials: true,
  unmatchedPreflights: "FORWARD",
};

function outcome(fields: Partial<CorsPolicy>, origin: string | null, method = "GET", asks = "PUT"): string {
  const headers: [string, string][] = origin === null ? [] : [["origin", origin]];
  if (method === "OPTIONS" && asks !== "") headers.push(["access-control-request-method", asks]);
  const result = prepareCors({ ...POLICY, ...fields }, REF)(attributes({ method, headers }));
  const lines = result.headers.map(({ name, value }) => `${name.replace("access-control-", "")}=${value}`).join(" ");
  return `${result.kind === "respond" ? result.status : "on"} ${lines}`.trim();
}

const SIMPLE = "allow-origin=https://a allow-credentials=true expose-headers=x-b";
const PREFLIGHT = `200 ${SIMPLE} allow-methods=GET,PUT allow-headers=x-a max-age=60`;

it.each([
  ["no origin", {}, null, "GET", "on"],
  ["an empty origin", {}, "", "GET", "on"],
  ["an allowed origin", {}, "https://a", "GET", `on ${SIMPLE}`],
  ["another origin", {}, "https://b", "GET", "on"],
  ["an origin in another case", {}, "HTTPS://A", "GET", "on"],
  ["a preflight", {}, "https://a", "OPTIONS", PREFLIGHT],
  ["a preflight of another origin", {}, "https://b", "OPTIONS", "on"],
  [
    "a preflight of another origin, IGNORE",
    { unmatchedPreflights: "IGNORE" },
    "https://b",
    "OPTIONS",
    "200 allow-credentials=true allow-methods=GET,PUT allow-headers=x-a max-age=60",
  ],
  [
    "little",
    { allowMethods: [], allowHeaders: [], exposeHeaders: [], maxAgeSec: null, allowCredentials: null },
    "https://a",
    "OPTIONS",
    "200 allow-origin=https://a",
  ],
] as const)("answers %s", (...[, fields, origin, method, expected]) => {
  expect(outcome(fields, origin, method)).toBe(expected);
});

it("takes OPTIONS without a requested method for an ordinary request", () => {
  expect(outcome({}, "https://a", "OPTIONS", "")).toBe(`on ${SIMPLE}`);
});

it.each([
  [{ kind: "exact", value: "*" }, true],
  [{ kind: "regex", value: ".*" }, true],
  [{ kind: "regex", value: "https://.*\\.example" }, false],
  [{ kind: "prefix", value: "*" }, true],
] as const)("allows any origin by %j: %s", (match, isAllowed) => {
  expect(outcome({ allowOrigins: [match] }, "https://z").includes("allow-origin=https://z")).toBe(isAllowed);
});
