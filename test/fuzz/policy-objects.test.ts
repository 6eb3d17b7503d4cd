import { parseManifests, parseObject } from "@gatehouse/controller/resources";
import type { PolicyResource } from "@gatehouse/protos";
import { decodeResource, encodeResource } from "@gatehouse/protos/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { importKeySet } from "../../authz-server/src/authn/import-key-set.ts";
import { preparePolicy } from "../../authz-server/src/policy/prepared-policy.ts";
import { encodeResources } from "../../controller/src/discovery/encode-resource.ts";
import { translateInlineJwks } from "../../controller/src/translate/jwks.ts";
import { collectFindings } from "../../controller/src/translate/report.ts";
import { translateParsed } from "../support/check-harness.ts";
import { FUZZ_TIMEOUT_MS, fuzz, soup } from "./fuzz.ts";
import { MESH } from "./mesh.ts";

const word = fc.constantFrom(
  "",
  "*",
  "a",
  "/a",
  "/{*}/b",
  "{**}",
  "a*",
  "*a",
  "1",
  "10.0.0.0/8",
  "::1",
  "x.y",
  "[",
  "a/b",
  "\u0000",
  "é",
  "__proto__",
);
const words = fc.oneof(
  { weight: 8, arbitrary: fc.array(word, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.anything({ maxDepth: 1 }) },
);
const junk = fc.anything({ maxDepth: 2, maxKeys: 3 });

/** An object with some of these members, one in ten of them nonsense. */
function some(members: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const noisy = Object.entries(members).map(([name, value]) => [
    name,
    fc.oneof({ weight: 12, arbitrary: value }, { weight: 1, arbitrary: junk }),
  ]);
  return fc.record<Record<string, unknown>>(Object.fromEntries(noisy), { requiredKeys: [] });
}

const key = fc.constantFrom(
  ...[
    "request.headers[x]",
    "request.headers[]",
    "request.auth.claims[a][b]",
    "request.auth.claims[",
    "source.ip",
    "remote.ip",
  ],
  ...[
    "destination.port",
    "source.principal",
    "connection.sni",
    "experimental.envoy.filters.a[b]",
    "nonsense",
    "",
    "request.auth.audiences",
  ],
);
const list = (item: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => fc.array(item, { maxLength: 2 });
const source = some(
  Object.fromEntries(
    [
      ...["principals", "requestPrincipals", "namespaces", "ipBlocks", "remoteIpBlocks", "serviceAccounts"],
      "notPrincipals",
      "notIpBlocks",
    ].map((name) => [name, words]),
  ),
);
const operation = some(
  Object.fromEntries(
    ["hosts", "ports", "methods", "paths", "notHosts", "notPorts", "notPaths"].map((name) => [name, words]),
  ),
);
const authorizationPolicy = some({
  action: fc.constantFrom("ALLOW", "DENY", "AUDIT", "CUSTOM"),
  provider: some({ name: word }),
  selector: some({ matchLabels: some({ app: word }) }),
  rules: list(
    some({
      from: list(some({ source })),
      to: list(some({ operation })),
      when: list(some({ key, values: words, notValues: words })),
    }),
  ),
});
const requestAuthentication = some({
  selector: some({ matchLabels: some({ app: word }) }),
  jwtRules: list(
    some({
      issuer: word,
      audiences: words,
      jwks: fc.oneof(word, fc.json(), fc.constant('{"keys":[]}')),
      jwksUri: word,
      fromHeaders: list(some({ name: word, prefix: word })),
      fromParams: words,
      fromCookies: words,
      outputPayloadToHeader: word,
      outputClaimToHeaders: list(some({ header: word, claim: word })),
      forwardOriginalToken: fc.boolean(),
      spaceDelimitedClaims: words,
      presence: fc.constantFrom("REQUIRED", "OPTIONAL", "x"),
      timeout: word,
    }),
  ),
});
const stringMatch = some({ exact: word, prefix: word, regex: fc.constantFrom("a+", "(", "\\pL", "(a+)+$") });
const virtualService = some({
  hosts: words,
  gateways: words,
  http: list(
    some({
      name: word,
      match: list(
        some({
          uri: stringMatch,
          method: stringMatch,
          headers: some({ "@request.auth.claims.a": stringMatch, x: stringMatch }),
        }),
      ),
      route: list(
        some({
          destination: some({ host: word, port: some({ number: fc.integer() }), subset: word }),
          weight: fc.integer(),
        }),
      ),
      rewrite: some({ uri: word, authority: word }),
      redirect: some({ uri: word, redirectCode: fc.integer() }),
      directResponse: some({ status: fc.integer(), body: some({ string: word }) }),
      timeout: fc.constantFrom("1s", "x", ""),
      headers: some({ request: some({ set: some({ a: word }), remove: words }) }),
    }),
  ),
});
const gateway = some({
  selector: some({ app: word }),
  servers: list(some({ port: some({ number: fc.integer(), name: word, protocol: word }), hosts: words })),
});

const spec = {
  AuthorizationPolicy: authorizationPolicy,
  RequestAuthentication: requestAuthentication,
  VirtualService: virtualService,
  Gateway: gateway,
} as const;

const object = fc.constantFrom(...Object.keys(spec)).chain((kind) =>
  fc.record({
    apiVersion: fc.constant(
      kind.endsWith("Service") || kind === "Gateway" ? "networking.istio.io/v1" : "security.istio.io/v1",
    ),
    kind: fc.constant(kind),
    metadata: fc.constant({ name: "x", namespace: "foo" }),
    spec: fc.oneof(
      { weight: 20, arbitrary: Object.entries(spec).find(([name]) => name === kind)?.[1] ?? junk },
      { weight: 1, arbitrary: junk },
    ),
  }),
);

/** The resources of an object that can be read as ours. */
function translated(document: unknown): readonly PolicyResource[] {
  const parsed = parseObject(document);
  if (parsed.kind !== "valid" && parsed.kind !== "invalid") return [];
  const { resources, report } = translateParsed(parsed);
  if (parsed.kind === "invalid") expect(report.accepted).toBe(false);
  expect(resources.length).toBeGreaterThan(0);
  return resources;
}

test(
  "any object is translated, sent and prepared without an error",
  async () => {
    await fuzz(object, (document) => {
      // As a directory or the API server would give it.
      const resources = translated(JSON.parse(JSON.stringify(document)));
      for (const { bytes } of encodeResources(resources).resources) {
        const received = decodeResource(bytes);
        expect(Buffer.from(encodeResource(received)).equals(bytes)).toBe(true);
        preparePolicy(received, MESH);
      }
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "any text is read as manifests without an error",
  async () => {
    const pieces = [
      "apiVersion: security.istio.io/v1\n",
      "kind: AuthorizationPolicy\n",
      "metadata: {name: a}\n",
      "spec:\n",
      "  rules: [{}]\n",
      "---\n",
      "&a ",
      "*a",
      "? ",
      "- ",
      ": ",
      "{",
      "}",
      "!!js/function ",
      "\t",
      "\n",
      "|",
      '"',
    ];
    await fuzz(soup(pieces, 14), (text) => {
      for (const parsed of parseManifests(text, "fuzz.yaml").resources) translateParsed(parsed);
    });
  },
  FUZZ_TIMEOUT_MS,
);

const member = fc.oneof(
  word,
  fc.constantFrom("AQAB", "AA", "Aw", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
  fc.integer(),
  fc.base64String({ maxLength: 400 }),
  fc.constant("A".repeat(342)),
  fc.constant("_".repeat(342)),
);
const jwk = some({
  kty: fc.constantFrom("RSA", "EC", "oct", "OKP", "x"),
  alg: fc.constantFrom("RS256", "ES256", "HS256", "EdDSA", "none", ""),
  kid: word,
  crv: fc.constantFrom("P-256", "P-384", "P-521", "Ed25519", "x"),
  n: member,
  e: member,
  x: member,
  y: member,
  k: member,
  use: fc.constantFrom("sig", "enc"),
});
const jwks = fc.oneof(
  fc.record({ keys: fc.array(jwk, { maxLength: 3 }) }).map((document) => JSON.stringify(document)),
  fc.json(),
  soup(['{"keys":[', "]}", "{", "}", '"kty":"RSA"', ",", "null", "[", "]"]),
);

test(
  "any key set is read, and what is read can be imported",
  async () => {
    await fuzz(jwks, async (text) => {
      const findings = collectFindings();
      const keySet = translateInlineJwks(text, "spec.jwtRules[0].jwks", () => "0".repeat(64), findings);
      expect(keySet.state).toBe(keySet.keys.length > 0 ? "ready" : "noValidKeys");
      if (keySet.keys.length === 0) expect(findings.diagnostics.length).toBeGreaterThan(0);
      const imported = await importKeySet(keySet);
      const signed = { alg: "RS256", signingInput: "a.b", signature: new Uint8Array(256) } as const;
      for (const one of imported.keys) expect(one.verifies(signed)).toBe(false);
    });
  },
  FUZZ_TIMEOUT_MS,
);
