import fc from "fast-check";
import { type CheckHarness, type CheckInput, createCheckHarness, type Policies } from "../support/check-harness.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";

/** The part of an AuthorizationPolicy that the properties are about. */
export interface Spec {
  readonly action: "ALLOW" | "DENY" | "AUDIT";
  readonly rules: readonly Rule[];
  /** Whom it is for: the workload (by its namespace, the root namespace, or its labels), or others. */
  readonly reach: "namespace" | "root" | "selected" | "otherLabels" | "otherNamespace";
  readonly isDryRun: boolean;
}
export interface Rule {
  readonly from?: readonly { readonly source: Fields }[];
  readonly to?: readonly { readonly operation: Fields }[];
  readonly when?: readonly When[];
}
export type Fields = Readonly<Record<string, readonly string[]>>;
export interface When {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

/** Whether a policy decides about the workload's requests. */
export function isEnforced({ action, reach, isDryRun }: Spec): boolean {
  return action !== "AUDIT" && !isDryRun && reach !== "otherLabels" && reach !== "otherNamespace";
}

/** A request before it is made: `user` is an index of `USERS`. */
export interface Request extends Omit<CheckInput, "token"> {
  readonly user: number;
}

/** Claims of the tokens; null is a request without one. All are valid and of the test issuer. */
export const USERS: readonly (Readonly<Record<string, unknown>> | null)[] = [
  null,
  { sub: "u1" },
  { sub: "u2", groups: ["g1", "g2"], scope: "r w" },
  { sub: "u1", groups: "g1", a: { b: "g1" }, aud: "x" },
  { sub: "", groups: [1, "g2"], scope: "r", azp: "g1" },
  { sub: "u1/x", groups: [["g1"]], a: [{ b: "g1" }], aud: ["x", "y"] },
  { sub: "ü", groups: ["über", ""], "a.b": "g1", scope: "über r", azp: ["x", "g1"] },
  { sub: "u7", groups: "G1", a: { b: ["g1"] }, constructor: { name: "g1" } },
];

/** How often a property is tried; PROPERTY_RUNS multiplies it (`make soak`). */
export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(count * Number(process.env["PROPERTY_RUNS"] ?? 1)) };
}

const TEMPLATES = ["/{*}/b", "/a/{**}", "/{*}", "/{**}/b", "/a/{*}/{**}", "/{*}/{*}", "/x/{*}", "/{*}/b/{**}"];

const values: Readonly<Record<string, readonly string[]>> = {
  principals: ["cluster.local/ns/foo/sa/a", "cluster.local/ns/*", "*/sa/b", "*", "client.example.com"],
  namespaces: ["foo", "ba*", "*", "*r"],
  serviceAccounts: ["foo/a", "bar/b", "bar/a"],
  trustDomains: ["cluster.local", "td", "*", "t*", "*d"],
  requestPrincipals: [
    "*",
    `${TEST_ISSUER}/u1`,
    `${TEST_ISSUER}/*`,
    `${TEST_ISSUER}/u1/x`,
    "*/u2",
    `${TEST_ISSUER}/u*`,
    "test*",
    "nobody",
    `${TEST_ISSUER}/ü`,
    `${TEST_ISSUER}/`,
    "*1",
  ],
  ipBlocks: ["10.0.0.1", "10.0.0.0/30", "192.0.2.0/24", "fe80::/10"],
  remoteIpBlocks: ["10.0.0.1", "192.0.2.0/24", "2001:db8::/32", "fe80::/10"],
  hosts: ["a.com", "*.com", "A.*", "*", "b.com:*", "x.a.com", "*.A.com", "*:80"],
  ports: ["8080", "80"],
  methods: ["GET", "P*", "*T", "*"],
  paths: ["/", "/a", "/a*", "*/b", "*", "/c", "/%C3%BC", "/a/b*", ...TEMPLATES],
};
const conditions: Readonly<Record<string, readonly string[]>> = {
  "request.headers[x-role]": ["admin", "ad*", "*", "*er", "über", "ü*"],
  "request.headers[X-Other]": ["1", "*"],
  "request.headers[Host]": ["a.com", "A.com", "*.com"],
  "request.headers[:authority]": ["b.com:*", "*"],
  "request.headers[:method]": ["GET", "P*"],
  "request.headers[:path]": ["/c?x=/a", "/a*", "*/b"],
  "request.headers[authorization]": ["Bearer *", "*"],
  "request.headers[names of headers]": ["*"],
  "request.auth.claims[groups]": ["g1", "g*", "*", "*2", "über", "G1"],
  "request.auth.claims[a][b]": ["g1", "*"],
  "request.auth.claims[a.b]": ["g1", "*"],
  "request.auth.claims[constructor][name]": ["g1", "*"],
  "request.auth.claims[scope]": ["r", "r w", "*", "über"],
  "request.auth.principal": values["requestPrincipals"] ?? [],
  "request.auth.audiences": ["x", "y", "*"],
  "request.auth.presenter": ["g1", "*"],
  "source.ip": values["ipBlocks"] ?? [],
  "remote.ip": values["remoteIpBlocks"] ?? [],
  "source.namespace": values["namespaces"] ?? [],
  "source.principal": values["principals"] ?? [],
  "source.serviceAccount": values["serviceAccounts"] ?? [],
  "source.trustDomain": values["trustDomains"] ?? [],
  "destination.port": values["ports"] ?? [],
  "destination.ip": ["10.0.0.2", "192.0.2.1"],
  "connection.sni": ["*", "a.com", "*.com", "a*"],
};

function some(from: readonly string[] | undefined): fc.Arbitrary<readonly string[]> {
  return fc.uniqueArray(fc.constantFrom(...(from ?? [])), { minLength: 1, maxLength: 2 });
}

function fields(names: readonly string[]): fc.Arbitrary<Fields> {
  const both = names.flatMap((name) => [
    [name, name] as const,
    [`not${name.charAt(0).toUpperCase()}${name.slice(1)}`, name] as const,
  ]);
  const one = fc
    .constantFrom(...both)
    .chain(([field, name]) => some(values[name]).map((list) => [field, list] as const));
  return fc.uniqueArray(one, { minLength: 1, maxLength: 2, selector: ([field]) => field }).map(Object.fromEntries);
}

const OTHER_SOURCES = ["requestPrincipals", "ipBlocks", "remoteIpBlocks", "trustDomains"];
const source = fc
  .oneof(
    { weight: 3, arbitrary: fields(["principals", "namespaces", ...OTHER_SOURCES]) },
    { weight: 1, arbitrary: fields(["serviceAccounts", ...OTHER_SOURCES]) },
  )
  .map((one) => ({ source: one }));
const operation = fields(["hosts", "ports", "methods", "paths"]).map((one) => ({ operation: one }));
const when: fc.Arbitrary<When> = fc
  .constantFrom(...Object.keys(conditions))
  .chain((key) =>
    fc.oneof(
      fc.record({ key: fc.constant(key), values: some(conditions[key]) }),
      fc.record({ key: fc.constant(key), notValues: some(conditions[key]) }),
      fc.record({ key: fc.constant(key), values: some(conditions[key]), notValues: some(conditions[key]) }),
    ),
  );
const rule: fc.Arbitrary<Rule> = fc.record(
  {
    from: fc.array(source, { minLength: 1, maxLength: 2 }),
    to: fc.array(operation, { minLength: 1, maxLength: 2 }),
    when: fc.array(when, { minLength: 1, maxLength: 2 }),
  },
  { requiredKeys: [] },
);

/** A policy; DENY must have a rule, AUDIT is never in dry-run. Most of them count. */
export const spec: fc.Arbitrary<Spec> = fc
  .record({
    action: fc.constantFrom(...(["ALLOW", "ALLOW", "ALLOW", "DENY", "DENY", "DENY", "AUDIT"] as const)),
    rules: fc.array(rule, { maxLength: 2 }),
    reach: fc.oneof(
      { weight: 6, arbitrary: fc.constant("namespace" as const) },
      { weight: 3, arbitrary: fc.constantFrom("root", "selected", "otherLabels", "otherNamespace") },
    ),
    isDryRun: fc.nat(7).map((chance) => chance === 0),
  })
  .map((one) => (one.action === "DENY" && one.rules.length === 0 ? { ...one, action: "ALLOW" as const } : one))
  .map((one) => (one.action === "AUDIT" ? { ...one, isDryRun: false } : one));
export const specs: fc.Arbitrary<readonly Spec[]> = fc.array(spec, { maxLength: 4 });

/** A request; paths are such that no normalisation changes them. */
export const request: fc.Arbitrary<Request> = fc.record({
  user: fc.nat(USERS.length - 1),
  method: fc.constantFrom("GET", "POST", "PUT", "get"),
  path: fc.constantFrom("/", "/a", "/a/b", "/x/b", "/a/", "/c", "/c?x=/a", "/b", "/ab", "//b", "/a/b/c", "/%C3%BC"),
  host: fc.constantFrom("a.com", "A.com", "b.com", "b.com:80", "a.org", "a.com.", "X.a.com"),
  headers: fc.array(
    fc.constantFrom(
      ...([
        ["x-role", "admin"],
        ["x-role", "user"],
        ["x-role", ""],
        ["x-role", "über"],
        ["x-role", "\tadmin "],
        ["x-other", "1"],
      ] as const),
      ...([
        ["x-forwarded-for", "192.0.2.1"],
        ["x-forwarded-for", "10.0.0.1, 2001:db8::1"],
      ] as const),
    ),
    { maxLength: 3 },
  ),
  principal: fc.constantFrom(
    "",
    "spiffe://cluster.local/ns/foo/sa/a",
    "spiffe://cluster.local/ns/bar/sa/b",
    "spiffe://td/ns/foo/sa/a",
    "spiffe://td/ns/bar/sa/ab",
    "client.example.com",
  ),
  sni: fc.constantFrom("", "a.com", "x.a.com"),
  sourceAddress: fc.constantFrom("10.0.0.1", "10.0.0.9", "192.0.2.7", "fe80::1%3"),
  destinationPort: fc.constantFrom(8080, 80),
});

/** A policy as YAML would give it. @param home the namespace of the workload */
export function toObject(name: string, { action, rules, reach, isDryRun }: Spec, home = "foo"): object {
  const app = { selected: "httpbin", otherLabels: "another", namespace: null, root: null, otherNamespace: null }[reach];
  const selector = app === null ? {} : { selector: { matchLabels: { app } } };
  const namespace = reach === "root" ? "istio-system" : reach === "otherNamespace" ? "elsewhere" : home;
  const annotations = isDryRun ? { annotations: { "istio.io/dry-run": "true" } } : {};
  const object = authorizationPolicy(name, { action, rules, ...selector }, namespace);
  return { ...object, metadata: { name, namespace, ...annotations } };
}

/** An AuthorizationPolicy of foo as YAML would give it. */
export function authorizationPolicy(name: string, body: object, namespace = "foo"): object {
  return { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name, namespace }, spec: body };
}

/** The objects of a set of policies, and the authentication that they rest on. */
export function objectsOf(list: readonly Spec[], namespace = "foo"): readonly object[] {
  return [authentication(namespace), ...list.map((one, i) => toObject(`p${i}`, one, namespace))];
}

/** Trusts the tokens of `USERS`. */
export function authentication(namespace = "foo"): object {
  const spaceDelimitedClaims = ["scope"];
  const jwtRules = [{ issuer: TEST_ISSUER, jwks: publicJwks(), spaceDelimitedClaims, forwardOriginalToken: true }];
  return {
    apiVersion: "security.istio.io/v1",
    kind: "RequestAuthentication",
    metadata: { name: "ra", namespace },
    spec: { jwtRules },
  };
}

/** Asks a server about such requests. */
export interface Judge {
  apply(policies: Policies): Promise<void>;
  /** True: allowed. Throws for an answer that is neither allow nor 403. */
  allows(request: Request): Promise<boolean>;
}

/** @param cacheEntries of verified tokens */
export async function createJudge(cacheEntries = 1000): Promise<Judge> {
  const tokenCache = { entries: cacheEntries, bytes: 1_000_000 };
  const harness: CheckHarness = await createCheckHarness({ policies: [], tokenCache });
  const tokens = await Promise.all(USERS.map((claims) => (claims === null ? undefined : mintTestToken(claims))));
  return {
    apply: (policies) => harness.apply(policies),
    async allows({ user, ...rest }) {
      const token = tokens[user];
      const answer = await harness.check(token === undefined ? rest : { ...rest, token });
      if (answer.status !== 200 && answer.status !== 403) throw new Error(`answered ${answer.status} ${answer.body}`);
      return answer.code === 0;
    },
  };
}
