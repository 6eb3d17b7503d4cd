import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InvalidObject, ResourceObject } from "../resources/object.ts";
import { parseObject } from "../resources/parse-object.ts";
import { translateInvalid, translateObject } from "./index.ts";

const context = { dnsSuffix: "svc.cluster.local", hash: (text: string) => `${text.length}`.padStart(64, "0") };
const metadata = { name: "a", namespace: "foo", labels: {}, annotations: {} };

/** Texts that have a meaning somewhere, whole and in pieces, and arbitrary ones. */
const pieces = [
  "*",
  "/",
  "{*}",
  "{**}",
  "[",
  "]",
  "a",
  "10.0.0.1",
  "8080",
  "::",
  "request.headers",
  "request.auth.claims",
  ".",
];
const text = fc.oneof(
  fc.constantFrom(
    "",
    "*",
    "mesh",
    "5s",
    "request.headers[x]",
    "@request.auth.claims.a",
    '{"keys":[]}',
    '{"keys":[{"kty":"RSA"}]}',
  ),
  fc.array(fc.constantFrom(...pieces), { maxLength: 6 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const texts = fc.array(text, { maxLength: 3 });
const map = fc.dictionary(text, text, { maxKeys: 3 });
const optional = <Fields extends Record<string, fc.Arbitrary<unknown>>>(fields: Fields) =>
  fc.record(fields, { requiredKeys: [] });
const number = fc.oneof(fc.integer({ min: -1, max: 70_000 }), fc.constant(0));

const target = {
  selector: optional({ matchLabels: map }),
  targetRefs: fc.array(fc.record({ kind: text, name: text, group: text }), { maxLength: 2 }),
};
const sourceFields = [
  "principals",
  "requestPrincipals",
  "namespaces",
  "serviceAccounts",
  "trustDomains",
  "ipBlocks",
  "remoteIpBlocks",
];
const operationFields = ["hosts", "ports", "methods", "paths"];
const withNegations = (names: readonly string[]) =>
  optional(
    Object.fromEntries(
      names
        .flatMap((name) => [name, `not${name.charAt(0).toUpperCase()}${name.slice(1)}`])
        .map((name) => [name, texts]),
    ),
  );
const policySpec = optional({
  ...target,
  action: fc.constantFrom("ALLOW", "DENY", "AUDIT", "CUSTOM"),
  provider: optional({ name: text }),
  rules: fc.array(
    optional({
      from: fc.array(optional({ source: withNegations(sourceFields) }), { maxLength: 2 }),
      to: fc.array(optional({ operation: withNegations(operationFields) }), { maxLength: 2 }),
      when: fc.array(fc.record({ key: text, values: texts, notValues: texts }, { requiredKeys: ["key"] }), {
        maxLength: 2,
      }),
    }),
    { maxLength: 3 },
  ),
});
const jwtSpec = optional({
  ...target,
  jwtRules: fc.array(
    optional({
      issuer: text,
      audiences: texts,
      jwksUri: text,
      jwks: fc.oneof(text, fc.json()),
      fromHeaders: fc.array(fc.record({ name: text, prefix: text }), { maxLength: 2 }),
      fromParams: texts,
      fromCookies: texts,
      outputPayloadToHeader: text,
      outputClaimToHeaders: fc.array(fc.record({ header: text, claim: text }), { maxLength: 2 }),
      timeout: text,
    }),
    { maxLength: 2 },
  ),
});
const match = optional({ exact: text, prefix: text, regex: text });
const matches = fc.dictionary(text, match, { maxKeys: 2 });
const headers = optional({
  request: optional({ set: map, add: map, remove: texts }),
  response: optional({ set: map, remove: texts }),
});
const destination = fc.record({ host: text, subset: text }, { requiredKeys: ["host"] });
const routeSpec = optional({
  hosts: texts,
  gateways: texts,
  exportTo: texts,
  http: fc.array(
    optional({
      match: fc.array(
        optional({
          uri: match,
          method: match,
          headers: matches,
          withoutHeaders: matches,
          queryParams: matches,
          port: number,
          gateways: texts,
        }),
        { maxLength: 2 },
      ),
      route: fc.array(fc.record({ destination, weight: number, headers }, { requiredKeys: ["destination"] }), {
        maxLength: 2,
      }),
      redirect: optional({ uri: text, redirectCode: number, port: number }),
      directResponse: fc.record(
        { status: number, body: optional({ string: text, bytes: text }) },
        { requiredKeys: ["status"] },
      ),
      delegate: optional({ name: text, namespace: text }),
      rewrite: optional({ uri: text, uriRegexRewrite: optional({ match: text, rewrite: text }) }),
      timeout: text,
      retries: optional({ attempts: number, perTryTimeout: text }),
      fault: optional({ abort: optional({ httpStatus: number }), delay: optional({ fixedDelay: text }) }),
      corsPolicy: optional({ allowOrigins: fc.array(match, { maxLength: 2 }), maxAge: text }),
      headers,
    }),
    { maxLength: 2 },
  ),
});
const gatewaySpec = optional({
  selector: map,
  servers: fc.array(fc.record({ port: fc.record({ number, protocol: text, name: text }), hosts: texts }), {
    maxLength: 2,
  }),
});

/** Objects shaped as the schema wants them, values at random; what the schema refuses nevertheless is left out. */
const anyObject: fc.Arbitrary<ResourceObject | null> = fc
  .oneof(
    policySpec.map((spec) => ({ apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata, spec })),
    jwtSpec.map((spec) => ({ apiVersion: "security.istio.io/v1", kind: "RequestAuthentication", metadata, spec })),
    routeSpec.map((spec) => ({ apiVersion: "networking.istio.io/v1", kind: "VirtualService", metadata, spec })),
    gatewaySpec.map((spec) => ({ apiVersion: "networking.istio.io/v1", kind: "Gateway", metadata, spec })),
  )
  .map((document) => {
    const parsed = parseObject(document);
    return parsed.kind === "valid" ? parsed.object : null;
  });
const object = anyObject.filter((candidate) => candidate !== null);

describe("translation of any object that fits its schema", () => {
  test("never throws, and gives a resource of the object's kind and name first", () => {
    fc.assert(
      fc.property(object, (input) => {
        const { resources } = translateObject(input, context);
        expect(resources[0]).toMatchObject({ kind: input.kind, meta: { namespace: "foo", name: "a" } });
      }),
      { numRuns: 1500 },
    );
  });

  test("depends on nothing but the object", () => {
    fc.assert(
      fc.property(object, object, (input, other) => {
        const first = translateObject(input, context);
        translateObject(other, context);
        expect(translateObject(structuredClone(input), context)).toEqual(first);
      }),
    );
  });

  test("says so whenever rules or routes are missing from the result", () => {
    fc.assert(
      fc.property(object, (input) => {
        const { resources, report } = translateObject(input, context);
        const [resource] = resources;
        const written =
          input.kind === "AuthorizationPolicy"
            ? input.spec.rules
            : input.kind === "VirtualService"
              ? input.spec.http
              : [];
        const kept =
          resource?.kind === "AuthorizationPolicy"
            ? resource.rules
            : resource?.kind === "VirtualService"
              ? resource.http
              : [];
        expect(report.accepted && kept.length < (written?.length ?? 0)).toBe(false);
      }),
    );
  });

  test("an ALLOW policy never loses a condition but together with its rule", () => {
    fc.assert(
      fc.property(policySpec, (spec) => {
        const allow = parseObject({
          apiVersion: "security.istio.io/v1",
          kind: "AuthorizationPolicy",
          metadata,
          spec: { ...spec, action: "ALLOW" },
        });
        if (allow.kind !== "valid" || allow.object.kind !== "AuthorizationPolicy") return;
        const [policy] = translateObject(allow.object, context).resources;
        if (policy?.kind !== "AuthorizationPolicy") return;
        for (const rule of policy.rules) {
          const written = allow.object.spec.rules?.[rule.index];
          expect(rule.when).toHaveLength(written?.when?.length ?? 0);
          expect(rule.from).toHaveLength(written?.from?.length ?? 0);
          expect(rule.to).toHaveLength(written?.to?.length ?? 0);
        }
      }),
    );
  });
});

test("an object that failed its schema, of any content, becomes an unenforceable resource", () => {
  const invalid: fc.Arbitrary<InvalidObject> = fc.record({
    kind: fc.constantFrom("AuthorizationPolicy", "RequestAuthentication", "VirtualService", "Gateway"),
    namespace: fc.constant("foo"),
    name: fc.constant("a"),
    errors: fc.constant([{ path: "spec", message: "bad" }]),
    raw: fc.oneof(fc.anything(), fc.record({ spec: fc.oneof(fc.anything(), policySpec, routeSpec) })),
  });
  fc.assert(
    fc.property(invalid, (input) => {
      const { resources, report } = translateInvalid(input, context);
      expect(report).toMatchObject({ accepted: false, reason: "Invalid" });
      expect(resources).toMatchObject([{ kind: input.kind, meta: { unenforceable: "spec: bad" } }]);
    }),
  );
});

describe("an object that is made of nothing but faults", () => {
  const spec = (ports: readonly unknown[]) => ({ rules: [{ to: [{ operation: { ports } }] }] });
  const document = (ports: readonly unknown[]) => ({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "a", namespace: "foo" },
    spec: spec(ports),
  });

  test("is refused with the first of them", () => {
    const parsed = parseObject(document(Array.from({ length: 10_000 }, (_, i) => `p${i}`)));
    if (parsed.kind !== "valid") throw new Error("fixture is not valid");
    const { report } = translateObject(parsed.object, context);
    expect(report.reason).toBe("Invalid");
    expect(report.diagnostics).toHaveLength(51);
    expect(report.diagnostics[49]?.path).toBe("spec.rules[0].to[0].operation.ports[49]");
    expect(report.diagnostics[50]).toEqual({ path: "", reason: "Invalid", message: "and more like these" });
  });

  test("fails its schema with the first of them", () => {
    const parsed = parseObject(document(new Array(10_000).fill(1)));
    if (parsed.kind !== "invalid") throw new Error("fixture is valid");
    expect(parsed.object.errors).toHaveLength(51);
    expect(parsed.object.errors[0]?.path).toBe("spec.rules[0].to[0].operation.ports[0]");
    expect(parsed.object.errors[50]).toEqual({ path: "", message: "and more like these" });
  });
});
