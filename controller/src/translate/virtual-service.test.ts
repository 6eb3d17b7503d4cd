import { expect, test } from "vitest";
import { parseObject } from "../resources/parse-object.ts";
import { type Translated, translateObject } from "./index.ts";

const ROUTE = { destination: { host: "web" } };
const OPERATIONS = { request: { set: { a: "b" } } };

/** The paths that are reported as unsupported for a VirtualService with these routes. */
function unsupported(routing: "cluster" | "header", ...http: readonly unknown[]): readonly string[] {
  const { report } = translated(routing, http);
  expect(report.accepted).toBe(true);
  expect(report.reason).toBe(report.diagnostics.length === 0 ? "Accepted" : "PartiallySupported");
  return report.diagnostics.map(({ path }) => path);
}

function translated(routing: "cluster" | "header", http: readonly unknown[]): Translated {
  const parsed = parseObject({
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "vs", namespace: "foo" },
    spec: { hosts: ["a.com"], gateways: ["gw"], http },
  });
  if (parsed.kind !== "valid") throw new Error(`fixture is ${parsed.kind}`);
  return translateObject(parsed.object, { dnsSuffix: "svc.cluster.local", hash: (text) => text, routing });
}

const everything = {
  route: [
    { ...ROUTE, weight: 1 },
    { ...ROUTE, weight: 1 },
  ],
  rewrite: { uri: "/" },
  headers: { ...OPERATIONS, response: { remove: ["c"] } },
  timeout: "1s",
  retries: { attempts: 1 },
  fault: { delay: { fixedDelay: "1s", percentage: { value: 1 } }, abort: { httpStatus: 500 } },
  corsPolicy: { allowOrigins: [{ exact: "*" }] },
};

test("carries out all of this in cluster mode", () => {
  expect(unsupported("cluster", everything)).toEqual([]);
});

test("names what Envoy's own routes must do in header mode", () => {
  const fields = ["rewrite", "headers", "timeout", "retries", "fault.delay", "route"];
  expect(unsupported("header", everything)).toEqual(fields.map((field) => `spec.http[0].${field}`));
  expect(unsupported("header", { route: [{ ...ROUTE, headers: OPERATIONS }] })).toEqual(["spec.http[0].route"]);
});

test("names nothing in header mode for what it answers itself", () => {
  expect(unsupported("header", { redirect: { uri: "/" } }, { directResponse: { status: 200 } })).toEqual([]);
  expect(unsupported("header", { route: [ROUTE], corsPolicy: { allowOrigins: [{ exact: "*" }] } })).toEqual([]);
});

test.each([
  ["mirror", { mirror: { host: "b" } }, ["mirror"]],
  ["mirrors", { mirrors: [{ destination: { host: "b" } }] }, ["mirrors"]],
  ["mirrorPercentage", { mirrorPercentage: { value: 1 } }, ["mirrorPercentage"]],
  ["statPrefix", { match: [{ statPrefix: "a" }] }, ["match[0].statPrefix"]],
  ["retry details", { retries: { attempts: 1, backoff: "1s" } }, ["retries.backoff"]],
  [
    "retryRemoteLocalities",
    { retries: { attempts: 1, retryRemoteLocalities: true } },
    ["retries.retryRemoteLocalities"],
  ],
  ["gRPC aborts", { fault: { abort: { grpcStatus: "NOT_FOUND" } } }, ["fault.abort.grpcStatus"]],
  ["format commands", { headers: { request: { set: { a: "%PROTOCOL%" } } } }, ["headers.request.set[a]"]],
])("names %s", (_name, fields, expected) => {
  expect(unsupported("cluster", { route: [ROUTE], ...fields })).toEqual(expected.map((path) => `spec.http[0].${path}`));
});

test.each([
  ["its answer", { directResponse: { status: 999 } }],
  ["its rewrite", { route: [ROUTE], rewrite: { uriRegexRewrite: { match: "(", rewrite: "" } } }],
  ["its combination of actions", { route: [ROUTE], redirect: { uri: "/" } }],
])("keeps the requests of a route from those behind it when %s can't be carried out", (_name, fields) => {
  const match = [{ uri: { prefix: "/admin" } }];
  const { resources, report } = translated("cluster", [{ match, ...fields }, { route: [ROUTE] }]);
  expect(report.accepted).toBe(false);
  expect(resources).toMatchObject([
    {
      http: [
        {
          index: 0,
          match: [{ uri: { value: "/admin" } }],
          action: { kind: "directResponse", status: 404 },
          rewrite: null,
        },
        { index: 1, action: { kind: "route" } },
      ],
    },
  ]);
});
