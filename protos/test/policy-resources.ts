import fc, { type Arbitrary } from "fast-check";
import type {
  AuthorizationMatch,
  AuthorizationPolicy,
  ClaimMatch,
  Condition,
  CorsPolicy,
  Destination,
  ExtensionProvider,
  Fault,
  Gateway,
  HeaderMatch,
  HeaderOperations,
  HttpMatch,
  HttpRoute,
  Jwk,
  JwtRule,
  KeySet,
  Labels,
  MeshConfig,
  ObjectMeta,
  PathMatch,
  PolicyResource,
  PolicyTarget,
  RequestAuthentication,
  RouteAction,
  StringMatch,
  TokenLocation,
  VirtualService,
} from "../src/index.ts";

/** Plain objects only: a decoded resource has no others. */
function record<Model>(members: { readonly [Name in keyof Model]: Arbitrary<Model[Name]> }): Arbitrary<Model> {
  return fc.record(members, { noNullPrototype: true }) as Arbitrary<Model>;
}

/** Any Unicode text without lone surrogates, with names that are special in JavaScript among them. */
const text = fc.oneof(
  { weight: 8, arbitrary: fc.string({ unit: "binary", maxLength: 8 }) },
  { weight: 1, arbitrary: fc.constantFrom("__proto__", "constructor", "toString", "\u0000", "\ufeff", "\ufffd", "😀") },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 38, maxLength: 60 }) },
);
const list = <Value>(value: Arbitrary<Value>): Arbitrary<Value[]> => fc.array(value, { maxLength: 3 });
const orNull = <Value>(value: Arbitrary<Value>): Arbitrary<Value | null> => fc.option(value, { nil: null });
const texts = list(text);
const uint32 = fc.oneof(
  fc.nat({ max: 65535 }),
  fc.constantFrom(0, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const uint64 = fc.oneof(fc.nat(), fc.maxSafeNat());
const percentage = fc.double({ noNaN: true, noDefaultInfinity: true });
const labels: Arbitrary<Labels> = list(record({ name: text, value: text }));

const meta: Arbitrary<ObjectMeta> = record({
  namespace: text,
  name: text,
  createdAtMs: fc.maxSafeInteger(),
  minReaderVersion: uint32,
  unenforceable: text,
});

const target: Arbitrary<PolicyTarget> = fc.oneof(
  fc.constant({ kind: "namespace" } as const),
  record({ kind: fc.constant("selector" as const), matchLabels: labels }),
  record({
    kind: fc.constant("targetRefs" as const),
    refs: list(record({ group: text, kind: text, name: text, namespace: text })),
  }),
);

const valued = <Kind extends string>(...kinds: Kind[]): Arbitrary<{ kind: Kind; value: string }> =>
  record({ kind: fc.constantFrom(...kinds), value: text });
const present = fc.constant({ kind: "present" } as const);
const stringMatch: Arbitrary<StringMatch> = fc.oneof(valued("exact", "prefix", "suffix", "regex"), present);
const pathMatch: Arbitrary<PathMatch> = fc.oneof(valued("exact", "prefix", "suffix", "template"), present);
const authorizationMatch: Arbitrary<AuthorizationMatch> = fc.oneof(valued("exact", "prefix", "suffix"), present);

const location: Arbitrary<TokenLocation> = fc.oneof(
  record({ kind: fc.constant("header" as const), name: text, prefix: text }),
  record({ kind: fc.constantFrom("param" as const, "cookie" as const), name: text }),
);

const jwtRule: Arbitrary<JwtRule> = record({
  issuer: text,
  audiences: texts,
  locations: list(location),
  keySet: text,
  outputPayloadToHeader: text,
  outputClaimToHeaders: list(record({ header: text, claim: texts })),
  forwardOriginalToken: fc.boolean(),
  spaceDelimitedClaims: texts,
  presence: fc.constantFrom("OPTIONAL", "REQUIRED"),
  invalid: text,
});

const requestAuthentication: Arbitrary<RequestAuthentication> = record({
  kind: fc.constant("RequestAuthentication"),
  meta,
  target,
  jwtRules: list(jwtRule),
});

/** Conditions with the given attributes and fields of their own. */
function condition<Attribute extends string, Value, Own extends object>(
  attributes: Attribute[],
  value: Arbitrary<Value>,
  own: { [Name in keyof Own]: Arbitrary<Own[Name]> },
): Arbitrary<{ attribute: Attribute; field: string; values: Value[]; notValues: Value[] } & Own> {
  const common = record({
    attribute: fc.constantFrom(...attributes),
    field: text,
    values: list(value),
    notValues: list(value),
  });
  return fc.tuple(common, record<Own>(own)).map(([one, other]) => ({ ...one, ...other }));
}

const anyCondition: Arbitrary<Condition> = fc.oneof(
  condition(["header"], authorizationMatch, { name: text }),
  condition(["host", "method", "sni"], authorizationMatch, {}),
  condition(["path"], pathMatch, {}),
  condition(["sourceIp", "remoteIp", "destinationIp"], record({ address: text, prefixLength: uint32 }), {}),
  condition(["destinationPort"], uint32, {}),
  condition(["sourcePrincipal", "sourceNamespace", "sourceServiceAccount", "sourceTrustDomain"], text, {}),
  condition(["requestPrincipal"], record({ issuer: authorizationMatch, subject: authorizationMatch }), {}),
  condition(["claim"], authorizationMatch, { path: texts }),
  condition(["filterMetadata"], record({ list: fc.boolean(), match: authorizationMatch }), {
    filter: text,
    key: text,
  }),
);

const authorizationPolicy: Arbitrary<AuthorizationPolicy> = record({
  kind: fc.constant("AuthorizationPolicy"),
  meta,
  target,
  action: fc.constantFrom("ALLOW", "DENY", "AUDIT", "CUSTOM"),
  dryRun: fc.boolean(),
  provider: text,
  rules: list(
    record({
      index: uint32,
      from: list(list(anyCondition)),
      to: list(list(anyCondition)),
      when: list(anyCondition),
    }),
  ),
});

const headerOperations: Arbitrary<HeaderOperations> = record({ set: labels, add: labels, remove: texts });

const named: Arbitrary<HeaderMatch> = record({ name: text, match: stringMatch });
const claim: Arbitrary<ClaimMatch> = record({ path: texts, match: stringMatch });

const httpMatch: Arbitrary<HttpMatch> = record({
  name: text,
  uri: orNull(stringMatch),
  ignoreUriCase: fc.boolean(),
  scheme: orNull(stringMatch),
  method: orNull(stringMatch),
  authority: orNull(stringMatch),
  headers: list(named),
  withoutHeaders: list(named),
  claims: list(claim),
  withoutClaims: list(claim),
  queryParams: list(named),
  port: uint32,
  gateways: texts,
  sourceLabels: labels,
  sourceNamespace: text,
});

const destination: Arbitrary<Destination> = record({
  host: text,
  port: uint32,
  subset: text,
  weight: uint32,
  requestHeaders: headerOperations,
  responseHeaders: headerOperations,
});

const action: Arbitrary<RouteAction> = fc.oneof(
  record({ kind: fc.constant("route" as const), destinations: list(destination) }),
  record({
    kind: fc.constant("redirect" as const),
    uri: text,
    authority: text,
    scheme: text,
    port: orNull(uint32),
    derivePort: fc.constantFrom("FROM_PROTOCOL_DEFAULT" as const, "FROM_REQUEST_PORT" as const),
    code: uint32,
  }),
  record({ kind: fc.constant("directResponse" as const), status: uint32, body: text }),
  record({ kind: fc.constant("delegate" as const), namespace: text, name: text }),
);

const fault: Arbitrary<Fault> = record({
  abort: orNull(record({ status: uint32, percentage })),
  delay: orNull(record({ delayMs: uint64, percentage })),
});

const cors: Arbitrary<CorsPolicy> = record({
  allowOrigins: list(stringMatch),
  allowMethods: texts,
  allowHeaders: texts,
  exposeHeaders: texts,
  maxAgeSec: orNull(uint64),
  allowCredentials: orNull(fc.boolean()),
  unmatchedPreflights: fc.constantFrom("FORWARD", "IGNORE"),
});

const httpRoute: Arbitrary<HttpRoute> = record({
  index: uint32,
  name: text,
  match: list(httpMatch),
  action,
  requestHeaders: headerOperations,
  responseHeaders: headerOperations,
  rewrite: orNull(
    record({ uri: orNull(text), uriRegex: orNull(record({ match: text, rewrite: text })), authority: text }),
  ),
  timeoutMs: orNull(uint64),
  retries: orNull(record({ attempts: uint32, perTryTimeoutMs: uint64, retryOn: text })),
  fault: orNull(fault),
  cors: orNull(cors),
});

const virtualService: Arbitrary<VirtualService> = record({
  kind: fc.constant("VirtualService"),
  meta,
  hosts: texts,
  gateways: texts,
  exportTo: texts,
  http: fc.array(httpRoute, { maxLength: 2 }),
  keepsHosts: fc.boolean(),
  refusedHosts: fc.array(record({ gateway: text, host: text }), { maxLength: 2 }),
});

const gateway: Arbitrary<Gateway> = record({
  kind: fc.constant("Gateway"),
  meta,
  selector: labels,
  servers: list(record({ port: uint32, protocol: text, hosts: texts, httpsRedirect: fc.boolean() })),
});

const key: Arbitrary<Jwk> = fc.oneof(
  record({ kty: fc.constant("RSA" as const), kid: text, alg: text, n: text, e: text }),
  record({
    kty: fc.constant("EC" as const),
    kid: text,
    alg: text,
    crv: fc.constantFrom("P-256" as const, "P-384" as const, "P-521" as const),
    x: text,
    y: text,
  }),
  record({ kty: fc.constant("oct" as const), kid: text, alg: text, k: text }),
  record({ kty: fc.constant("OKP" as const), kid: text, alg: text, crv: fc.constant("Ed25519" as const), x: text }),
);

const keySet: Arbitrary<KeySet> = record({
  kind: fc.constant("KeySet"),
  name: text,
  minReaderVersion: uint32,
  state: fc.constantFrom("ready", "noValidKeys", "unavailable"),
  keys: list(key),
});

const meshConfig: Arbitrary<MeshConfig> = record({
  kind: fc.constant("MeshConfig"),
  minReaderVersion: uint32,
  rootNamespace: text,
  trustDomain: text,
  trustDomainAliases: texts,
  dnsSuffix: text,
  pathNormalization: fc.constantFrom("NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"),
  numTrustedProxies: uint32,
  strictPaths: fc.boolean(),
  keysUnavailable: fc.constantFrom(401, 503),
  routing: fc.constantFrom("cluster", "header"),
  unmatchedHosts: fc.constantFrom("notFound", "passthrough"),
  requireExp: fc.boolean(),
});

const extensionProvider: Arbitrary<ExtensionProvider> = record({
  kind: fc.constant("ExtensionProvider"),
  name: text,
  minReaderVersion: uint32,
  protocol: fc.constantFrom("grpc", "http"),
  service: text,
  port: uint32,
  timeoutMs: uint64,
  failOpen: fc.boolean(),
  statusOnError: uint32,
  pathPrefix: text,
  includeRequestHeadersInCheck: texts,
  includeAdditionalHeadersInCheck: labels,
  headersToUpstreamOnAllow: texts,
  headersToDownstreamOnDeny: texts,
  headersToDownstreamOnAllow: texts,
  maxRequestBytes: uint64,
  allowPartialMessage: fc.boolean(),
});

/** Everything that the types of the model allow and the wire can carry, sensible or not; one arbitrary per kind. */
export const policyResources: { readonly [Kind in PolicyResource["kind"]]: Arbitrary<PolicyResource> } = {
  RequestAuthentication: requestAuthentication,
  AuthorizationPolicy: authorizationPolicy,
  VirtualService: virtualService,
  Gateway: gateway,
  KeySet: keySet,
  MeshConfig: meshConfig,
  ExtensionProvider: extensionProvider,
};

/** A resource of any kind. */
export const anyPolicyResource: Arbitrary<PolicyResource> = fc.oneof(...Object.values(policyResources));
