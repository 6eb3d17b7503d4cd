import { describe, expect, it } from "vitest";
import type { CaseRequest, ConformanceCase, Expectation } from "./case.ts";
import { compare, type Observation } from "./compare.ts";

describe("an answer of an upstream", () => {
  const observed: Observation = {
    status: 200,
    body: "whatever the upstream says",
    responseHeaders: [["content-type", "application/json"]],
    upstream: {
      destination: "web.foo.svc.cluster.local",
      port: 8000,
      method: "GET",
      authority: "example.com",
      path: "/a",
      headers: [
        ["x-request-id", "1"],
        ["x-env", "a"],
        ["x-env", "b"],
        ["x-claims", Buffer.from('{"b":1,"a":2}').toString("base64")],
        ["x-forwarded-for", "127.0.0.1"],
      ],
    },
  };
  const upstream = {
    destination: "web.foo.svc.cluster.local",
    port: 8000,
    method: "GET",
    authority: "example.com",
    path: "/a",
    headers: { "x-env": ["a", "b"], "x-claims": { base64Json: { a: 2, b: 1 } } },
    absentHeaders: ["authorization"],
  };

  it("passes when the upstream received exactly what was expected", () => {
    expect(differences({ status: 200, upstream }, observed)).toEqual([]);
  });

  it.each([
    ["another path", { ...upstream, path: "/b" }, 'upstream.path: expected "/b", got "/a"'],
    ["another port", { ...upstream, port: 80 }, "upstream.port: expected 80, got 8000"],
    [
      "a header that was not expected",
      { ...upstream, headers: { "x-env": ["a", "b"] } },
      'upstream.headers x-claims: expected nothing, got ["eyJiIjoxLCJhIjoyfQ=="]',
    ],
    [
      "another order of one header's lines",
      { ...upstream, headers: { ...upstream.headers, "x-env": ["b", "a"] } },
      'upstream.headers x-env: expected ["b","a"], got ["a","b"]',
    ],
    [
      "other claims",
      { ...upstream, headers: { ...upstream.headers, "x-claims": { base64Json: { a: 2 } } } },
      'upstream.headers x-claims: expected {"a":2}, got {"b":1,"a":2}',
    ],
  ])("shows %s", (_, expected, difference) => {
    expect(differences({ status: 200, upstream: expected }, observed)).toEqual([difference]);
  });

  it("shows a header that should have been removed", () => {
    const expected = { ...upstream, absentHeaders: ["x-env"], headers: upstream.headers };
    expect(differences({ status: 200, upstream: expected }, observed)).toEqual([
      'upstream.absentHeaders x-env: expected nothing, got "a"',
    ]);
  });

  it("shows that no upstream should have been reached", () => {
    expect(differences({ status: 403, body: "RBAC: access denied" }, observed)).toEqual([
      "status: expected 403, got 200",
      'body: expected "RBAC: access denied", got "whatever the upstream says"',
      'upstream: expected "none", got "web.foo.svc.cluster.local"',
    ]);
  });
});

describe("an answer without an upstream", () => {
  const observed: Observation = {
    status: 401,
    body: "Jwt is expired",
    responseHeaders: [
      ["content-type", "text/plain"],
      ["www-authenticate", "Bearer"],
      ["date", "now"],
    ],
    upstream: null,
  };
  const expected = { status: 401, body: "Jwt is expired", responseHeaders: { "www-authenticate": "Bearer" } };

  it("compares content-type and the challenge, and no headers of Envoy's own", () => {
    const responseHeaders = { ...expected.responseHeaders, "content-type": "text/plain" };
    expect(differences({ ...expected, responseHeaders }, observed)).toEqual([]);
  });

  it("shows a response header that was not expected", () => {
    expect(differences(expected, observed)).toEqual([
      'responseHeaders content-type: expected nothing, got ["text/plain"]',
    ]);
  });
});

function differences(expected: Partial<Expectation>, observed: Observation): readonly string[] {
  const expectation: Expectation = {
    status: 0,
    body: undefined,
    responseHeaders: {},
    upstream: undefined,
    rbacStats: {},
    ...expected,
  };
  const request: CaseRequest = {
    name: "request",
    method: "GET",
    authority: "example.com",
    path: "/a",
    headers: [],
    port: 8080,
    sourceIp: "127.0.0.1",
    expect: expectation,
  };
  return compare({ ...SCENARIO, requests: [request] }, request, observed);
}

const SCENARIO: ConformanceCase = {
  id: "group/scenario",
  group: "group",
  description: "",
  envoyRejects: "",
  workload: { kind: "gateway", namespace: "istio-system", labels: {}, gateways: [], ports: [8080] },
  meshConfig: {},
  services: [],
  resources: [],
  requests: [],
};
