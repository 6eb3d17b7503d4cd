import { type DecideIo, decide, explain, TokenCache, type WorkloadPolicy } from "@gatehouse/authz-server/engine";
import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import type { CaseObject, CaseRequest, ConformanceCase } from "../conformance/case.ts";
import { toHttpRequest } from "../conformance/envoy-model.ts";
import { policyOf } from "../conformance/in-process.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { contradictions } from "./concluded.ts";

const TOKENS = [
  null,
  await mintTestToken({ groups: ["g1", "g2"], aud: "api" }),
  await mintTestToken({ groups: "g1", tier: { level: 3, name: "gold" }, scope: "read write" }),
  await mintTestToken({ exp: 1_700_000_001 }),
  await mintTestToken({ iss: "https://other.example" }),
  await mintTestToken({ sub: "alice" }, { kid: "unknown" }),
];
const io: DecideIo = {
  cache: new TokenCache({ entries: 0, bytes: 0 }, () => undefined),
  now: Date.now,
  random: () => 0,
  record: { dryRun: () => undefined },
};

const some = <Value>(value: Arbitrary<Value>): Arbitrary<Value[]> => fc.array(value, { minLength: 1, maxLength: 3 });
const few = <Value>(value: Arbitrary<Value>): Arbitrary<Value[]> => fc.array(value, { maxLength: 2 });

/** `{ name: [...] }`, its negated twin, or both. */
function listed(name: string, value: Arbitrary<string>): Arbitrary<Record<string, string[]>> {
  const not = `not${name.charAt(0).toUpperCase()}${name.slice(1)}`;
  return fc.oneof(
    some(value).map((values) => ({ [name]: values })),
    some(value).map((values) => ({ [not]: values })),
    fc.tuple(some(value), some(value)).map(([values, others]) => ({ [name]: values, [not]: others })),
  );
}

const merged = (parts: readonly Arbitrary<Record<string, string[]>>[]): Arbitrary<object> =>
  some(fc.oneof(...parts)).map((chosen) => Object.assign({}, ...chosen));

const PATHS = ["/", "/a", "/a/b", "/admin", "/A", "/a%2fb", "/a//b", "/x;y/a", "/admin/../a"];
const source = merged([
  listed(
    "requestPrincipals",
    fc.constantFrom("*", `${TEST_ISSUER}/${TEST_ISSUER}`, `${TEST_ISSUER}/*`, "*/alice", "x/y"),
  ),
  listed("ipBlocks", fc.constantFrom("10.0.0.0/8", "127.0.0.1", "::1")),
  listed("remoteIpBlocks", fc.constantFrom("1.2.3.4", "10.0.0.0/8")),
  listed("namespaces", fc.constantFrom("foo", "b*")),
]);
const operation = merged([
  listed("paths", fc.constantFrom("*", "/a", "/a*", "*b", "/admin", "/{*}/b", "/a/{**}")),
  listed("methods", fc.constantFrom("GET", "POST", "P*")),
  listed("hosts", fc.constantFrom("a.example", "*.example", "B.EXAMPLE", "*")),
  listed("ports", fc.constantFrom("80", "8080")),
]);
const when = fc
  .tuple(
    fc.constantFrom(
      "request.headers[x-group]",
      "request.headers[authorization]",
      "request.auth.claims[groups]",
      "request.auth.claims[tier][name]",
      "request.auth.claims[tier]",
      "request.auth.claims[scope]",
      "request.auth.audiences",
      "request.auth.principal",
      "connection.sni",
    ),
    listed("values", fc.constantFrom("g1", "g*", "*", "read", "gold", "api", "a/b", "x")),
  )
  .map(([key, { notValues, values }]) => ({ key, ...(values && { values }), ...(notValues && { notValues }) }));
const rule = fc.record({ from: few(source), to: few(operation), when: few(when) }).map(({ from, to, when }) => ({
  ...(from.length > 0 && { from: from.map((one) => ({ source: one })) }),
  ...(to.length > 0 && { to: to.map((one) => ({ operation: one })) }),
  ...(when.length > 0 && { when }),
}));

const authorizationPolicy = fc
  .record({
    action: fc.constantFrom("ALLOW", "ALLOW", "DENY", "AUDIT", "CUSTOM"),
    rules: fc.array(rule, { maxLength: 3 }),
    dryRun: fc.boolean(),
  })
  .map(({ action, rules, dryRun }) => ({
    group: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    annotations: { "istio.io/dry-run": String(dryRun) },
    spec: { action, ...(rules.length > 0 && { rules }), ...(action === "CUSTOM" && { provider: { name: "p" } }) },
  }));

const jwtRule = fc.record({
  issuer: fc.constantFrom(TEST_ISSUER, "https://other.example"),
  jwks: fc.constant(publicJwks()),
  audiences: fc.constantFrom([], ["api"]),
  forwardOriginalToken: fc.boolean(),
});
const requestAuthentication = fc.array(jwtRule, { minLength: 1, maxLength: 2 }).map((jwtRules) => ({
  group: "security.istio.io/v1",
  kind: "RequestAuthentication",
  annotations: {},
  spec: { jwtRules },
}));

const match = fc
  .record(
    {
      uri: fc.constantFrom({ prefix: "/a" }, { exact: "/admin" }, { regex: "/a.*" }),
      method: fc.constantFrom({ exact: "GET" }, { prefix: "P" }),
      headers: fc.constantFrom(
        { "@request.auth.claims.groups": { exact: "g1" } },
        { "x-group": { regex: "g[0-9]" } },
        { "x-group": {} },
      ),
      withoutHeaders: fc.constantFrom(
        { "@request.auth.claims.scope": { exact: "read" } },
        { "x-group": { exact: "g1" } },
      ),
      queryParams: fc.constantFrom({ q: { exact: "1" } }),
      ignoreUriCase: fc.boolean(),
    },
    { requiredKeys: [] },
  )
  .map((fields) => ({ ...fields }));
const virtualService = fc
  .record({
    hosts: fc.constantFrom(["a.example"], ["*"], ["*.example"]),
    http: fc.array(few(match), { minLength: 1, maxLength: 3 }),
  })
  .map(({ hosts, http }) => ({
    group: "networking.istio.io/v1",
    kind: "VirtualService",
    annotations: {},
    spec: {
      hosts,
      gateways: ["foo/gw"],
      http: http.map((entries) => ({
        ...(entries.length > 0 && { match: entries }),
        route: [{ destination: { host: "web", port: { number: 80 } } }],
      })),
    },
  }));

const request: Arbitrary<CaseRequest> = fc
  .record({
    method: fc.constantFrom("GET", "POST", "OPTIONS"),
    authority: fc.constantFrom("a.example", "b.example:80", "other"),
    path: fc.constantFrom(...PATHS, "/a?q=1", "/a%00"),
    group: fc.constantFrom(null, "g1", "x"),
    token: fc.constantFrom(...TOKENS),
    sourceIp: fc.constantFrom("127.0.0.1", "10.1.1.1", "::1"),
    forwardedFor: fc.constantFrom(null, "1.2.3.4"),
  })
  .map(({ group, token, forwardedFor, ...asked }) => ({
    ...asked,
    name: "",
    port: 80,
    headers: [
      ...(group === null ? [] : [["x-group", group] as const]),
      ...(token === null ? [] : [["authorization", `Bearer ${token}`] as const]),
      ...(forwardedFor === null ? [] : [["x-forwarded-for", forwardedFor] as const]),
    ],
    expect: { status: 200, body: undefined, responseHeaders: {}, upstream: undefined, rbacStats: {} },
  }));

const scenario: Arbitrary<ConformanceCase> = fc
  .record({
    kind: fc.constantFrom("sidecar" as const, "gateway" as const),
    objects: fc.array(fc.oneof({ weight: 4, arbitrary: authorizationPolicy }, requestAuthentication, virtualService), {
      minLength: 1,
      maxLength: 6,
    }),
    requests: fc.array(request, { minLength: 1, maxLength: 4 }),
    normalization: fc.constantFrom("BASE", "NONE", "DECODE_AND_MERGE_SLASHES"),
  })
  .map(({ kind, objects, requests, normalization }) => ({
    id: "random",
    group: "random",
    description: "",
    envoyRejects: "",
    workload: {
      kind,
      namespace: "foo",
      labels: { app: "a" },
      gateways: kind === "gateway" ? ["foo/gw"] : [],
      ports: [80],
    },
    meshConfig: { pathNormalization: { normalization } },
    services: [],
    resources: objects.map(
      ({ group, kind: objectKind, annotations, spec }, index): CaseObject => ({
        apiVersion: group,
        kind: objectKind,
        metadata: { name: `o${index}`, namespace: "foo", annotations },
        spec,
      }),
    ),
    requests,
  }));

test("an explanation agrees with the decision, whatever the policies and the request", async () => {
  const reasons = new Set<string>();
  await fc.assert(
    fc.asyncProperty(scenario, fc.boolean(), async (random, strictPaths) => {
      const prepared = await policyOf(random);
      const policy: WorkloadPolicy = { ...prepared, mesh: { ...prepared.mesh, strictPaths } };
      for (const asked of random.requests) {
        const http = toHttpRequest(random, asked);
        const { decision, explanation } = await explain(policy, http, io);
        expect(decision).toEqual(await decide(policy, http, io));
        expect(contradictions(explanation, decision)).toEqual([]);
        reasons.add(explanation.verdict.reason);
      }
    }),
    { numRuns: 400 },
  );
  // Random policies that never get as far as the rules and routes would prove nothing.
  expect([...reasons]).toEqual(
    expect.arrayContaining(["allowed", "deny_policy", "no_allow_policy", "no_route", "jwt_rejected", "custom_error"]),
  );
});
