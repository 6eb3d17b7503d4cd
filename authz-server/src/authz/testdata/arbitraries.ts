import type { AuthorizationPolicy, Condition, MeshConfig, Rule } from "@gatehouse/protos";
import fc from "fast-check";
import { Claims } from "../../authn/claims.ts";
import { parseJson } from "../../authn/json.ts";
import type { RequestAttributes } from "../attributes.ts";

// Few words, so that requests meet conditions often and keys are shared by many rules.
const word = fc.constantFrom("a", "b", "ab", "abc", "A.b", "ba", "c", "ä");
const match = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom("exact" as const, "prefix" as const, "suffix" as const), value: word }) },
  { weight: 1, arbitrary: fc.constant({ kind: "present" as const }) },
);
const path = fc.constantFrom("/", "/a", "/a/b", "/a/b/", "/b/a", "/ab", "/a/b/c", "/a//b", "/a;x/b", "/a%2fb", "/c/..", "/a\xff", "/a/b/c/d/e", "", "*");
const template = fc.constantFrom("/{*}", "/a/{*}", "/{*}/b", "/{**}", "/a/{**}", "/{**}/b", "/a/{*}/c", "/{*}/{*}", "/{*}/b/{**}", "/{**}/d/e", "/a/b/{*}/{*}/{**}");
const pathMatch = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("exact" as const, "prefix" as const), value: path }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("suffix" as const), value: fc.constantFrom("b", "/b", "/b/c") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("template" as const), value: template }) },
  { weight: 1, arbitrary: fc.constant({ kind: "present" as const }) },
);
const peer = fc.constantFrom("cluster.local/ns/foo/sa/a", "td/ns/foo/sa/a", "cluster.local/ns/*", "*/sa/b", "*");

function sides<Value>(value: fc.Arbitrary<Value>) {
  const list = fc.array(value, { minLength: 1, maxLength: 3 });
  const none = fc.constant<Value[]>([]);
  return fc.oneof(
    { weight: 5, arbitrary: fc.record({ values: list, notValues: none }) },
    { weight: 1, arbitrary: fc.record({ values: none, notValues: list }) },
    { weight: 1, arbitrary: fc.record({ values: list, notValues: list }) },
  );
}

function about<Of extends object, Value>(
  attribute: Of,
  value: fc.Arbitrary<Value>,
): fc.Arbitrary<Of & { field: string; values: Value[]; notValues: Value[] }> {
  return sides(value).map((both) => ({ field: "", ...attribute, ...both }));
}

const operation: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 3, arbitrary: about({ attribute: "path" as const }, pathMatch) },
  { weight: 2, arbitrary: about({ attribute: "host" as const }, match) },
  { weight: 1, arbitrary: about({ attribute: "method" as const }, match) },
  { weight: 1, arbitrary: about({ attribute: "destinationPort" as const }, fc.constantFrom(80, 8080)) },
);
const cidr = fc.constantFrom({ address: "10.0.0.0", prefixLength: 30 }, { address: "10.0.0.9", prefixLength: 32 });
const source: fc.Arbitrary<Condition> = fc.oneof(
  about({ attribute: "requestPrincipal" as const }, fc.record({ issuer: match, subject: match })),
  about({ attribute: "sourcePrincipal" as const }, peer),
  about({ attribute: "sourceNamespace" as const }, fc.constantFrom("foo", "b*")),
  about({ attribute: "sourceTrustDomain" as const }, fc.constantFrom("cluster.local", "td", "t*")),
  about({ attribute: "sourceServiceAccount" as const }, fc.constantFrom("foo/a", "foo/b")),
  about({ attribute: "remoteIp" as const }, cidr),
  about({ attribute: "sourceIp" as const }, cidr),
);
const when: fc.Arbitrary<Condition> = fc.oneof(
  fc.constantFrom("x-a", "x-b", "names", "host", ":path").chain((name) => about({ attribute: "header" as const, name }, match)),
  fc.constantFrom(["g"], ["scope"], ["o", "p"]).chain((at) => about({ attribute: "claim" as const, path: at }, match)),
  about({ attribute: "sni" as const }, match),
  about({ attribute: "destinationIp" as const }, cidr),
  about({ attribute: "filterMetadata" as const, filter: "f", key: "k" }, fc.record({ list: fc.boolean(), match })),
);

const entries = (condition: fc.Arbitrary<Condition>) =>
  fc.array(fc.array(condition, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 3 });
const rule: fc.Arbitrary<Omit<Rule, "index">> = fc.record({
  from: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: entries(source) }),
  to: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: entries(operation) }),
  when: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.array(when, { maxLength: 2 }) }),
});

/** A policy of foo or of the root namespace; those of few names, so that some replace others. */
export const authorizationPolicy: fc.Arbitrary<AuthorizationPolicy> = fc
  .record({
    namespace: fc.constantFrom("foo", "foo", "istio-system"),
    name: fc.integer({ min: 0, max: 40 }).map(String),
    selected: fc.constantFrom("", "", "app", "other"),
    // Of AUDIT every rule that matches is compared, of the others one.
    action: fc.oneof(
      { weight: 3, arbitrary: fc.constant("AUDIT" as const) },
      { weight: 3, arbitrary: fc.constantFrom("ALLOW" as const, "DENY" as const, "CUSTOM" as const) },
    ),
    dryRun: fc.constantFrom(false, false, false, true),
    unenforceable: fc.oneof({ weight: 60, arbitrary: fc.constant("") }, { weight: 1, arbitrary: fc.constant("broken") }),
    rules: fc.array(rule, { maxLength: 4 }),
  })
  .map(({ namespace, name, selected, action, dryRun, unenforceable, rules }) => ({
    kind: "AuthorizationPolicy",
    meta: { namespace, name, createdAtMs: 0, minReaderVersion: 1, unenforceable },
    target:
      selected === "" ? { kind: "namespace" } : { kind: "selector", matchLabels: [{ name: selected, value: "x" }] },
    action,
    dryRun,
    provider: action === "CUSTOM" ? "p" : "",
    rules: rules.map((one, index) => ({ ...one, index })),
  }));

const text = fc.constantFrom("a", "b", "ab", "abc", "A.b", "a.B", "ba", "c", "x", "", "a:80", "ab.", "\xc3\xa4", "A.B..:80");
const payload = fc.constantFrom(
  undefined,
  '{"iss":"a","sub":"b"}',
  '{"iss":"ab","sub":"","g":"a"}',
  '{"iss":"b","sub":"abc","g":["a","x"],"scope":"b c"}',
  '{"sub":"a","o":{"p":"ba"},"g":[1,["a"]],"scope":"a"}',
  '{"iss":"ä","sub":"ä","o":{"p":["ä","c"]},"g":"ä","scope":" "}',
);

/** A request as rules see it. */
export const attributes: fc.Arbitrary<RequestAttributes> = fc
  .record({
    path,
    host: text,
    method: text,
    sni: text,
    port: fc.constantFrom(80, 8080, 1),
    address: fc.constantFrom("10.0.0.1", "10.0.0.9", "nonsense"),
    principal: fc.constantFrom("", "spiffe://cluster.local/ns/foo/sa/a", "spiffe://td/ns/foo/sa/a"),
    lines: fc.array(fc.record({ name: fc.constantFrom("x-a", "x-b", "x-c", "names"), value: text }), { maxLength: 3 }),
    payload,
    metadata: fc.constantFrom(undefined, "a", ["ab", 1], 7),
  })
  .map((given) => {
    const headers = [{ name: ":authority", value: given.host }, { name: ":path", value: given.path }, ...given.lines];
    return {
      request: {
        method: given.method,
        path: given.path,
        host: given.host,
        scheme: "http",
        headers,
        hasRawHeaders: true,
        source: { address: given.address, principal: given.principal },
        destination: { address: "10.0.0.2", port: given.port },
        sni: given.sni,
        contextExtensions: new Map(),
        filterMetadata: (filter, key) => (filter === "f" && key === "k" ? given.metadata : undefined),
      },
      path: given.path,
      query: "",
      headers,
      removedHeaders: [],
      addedHeaders: [],
      claims: claimsOf(given.payload),
      remoteAddress: given.address,
    };
  });

function claimsOf(json: string | undefined): Claims | null {
  const parsed = parseJson(json ?? "");
  return parsed instanceof Map ? new Claims(parsed, new Set(["scope"])) : null;
}

/** What of MeshConfig rules depend on. */
export const mesh: fc.Arbitrary<Partial<MeshConfig>> = fc.record({
  strictPaths: fc.boolean(),
  trustDomainAliases: fc.constantFrom([], ["td"]),
});
