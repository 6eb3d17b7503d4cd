import type { TestKeyName } from "../../support/jwt.ts";
import type { JwtRuleSpec } from "../oracle/spec.ts";
import { type PolicyObject, ROOT_NAMESPACE } from "../policy-set.ts";
import type { Random } from "../random.ts";
import { ALGORITHMS_OF, type JsonWebKey, publicKey } from "./keys.ts";
import type { Signer } from "./tokens.ts";
import { AUDIENCES, ISSUERS, OUTPUT_HEADERS } from "./vocabulary.ts";

/** RequestAuthentications of a set, and who signs tokens that they accept. */
export interface Authentication {
  readonly objects: readonly PolicyObject[];
  readonly rules: readonly JwtRuleSpec[];
  readonly signers: readonly Signer[];
}

/** None to two objects with one to three rules each; one of them may be the root namespace's. */
export function makeAuthentication(random: Random): Authentication {
  const count = random.weighted([
    [1, 0],
    [6, 1],
    [3, 2],
  ]);
  const made = Array.from({ length: count }, (_, index) => {
    const rules = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => makeRule(random));
    const namespace = random.chance(0.2) ? ROOT_NAMESPACE : "foo";
    return { namespace, name: `jwt-${index}`, rules };
  });
  const total = made.flatMap(({ rules }) => rules).length;
  const objects = made.map(
    ({ namespace, name, rules }): PolicyObject => ({
      apiVersion: "security.istio.io/v1",
      kind: "RequestAuthentication",
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: { set: "foo" } },
        // docs/differences.md presence-required is compared where one rule stands alone.
        jwtRules: rules.map(({ rule }) =>
          total === 1 && random.chance(0.15) ? { ...rule, presence: "REQUIRED" } : rule,
        ),
      },
    }),
  );
  const all = made.flatMap(({ rules }) => rules);
  return { objects, rules: all.map(({ rule }) => rule), signers: all.flatMap(({ signers }) => signers) };
}

function makeRule(random: Random): { readonly rule: JwtRuleSpec; readonly signers: readonly Signer[] } {
  const names = random.some<TestKeyName>(
    ["rsa-2048", "rsa-3072", "ec-p256", "ec-p384", "ec-p521", "ed25519", "oct-512"],
    1,
    random.pick([1, 2, 4]),
  );
  const issuer = random.pick(ISSUERS);
  const audiences = random.chance(0.3) ? random.some(AUDIENCES, 1, 2) : [];
  const keys = names.map((key, index) => ({ key, published: publish(random, key, index > 0) }));
  return {
    rule: {
      issuer,
      jwks: JSON.stringify({ keys: keys.map(({ published }) => published) }),
      ...(audiences.length > 0 ? { audiences } : {}),
      ...locations(random),
      ...outputs(random),
      ...(random.chance(0.3) ? { forwardOriginalToken: true } : {}),
      ...(random.chance(0.3) ? { spaceDelimitedClaims: random.some(["scp", "role", "a.b", "groups"], 1, 2) } : {}),
    },
    signers: keys.map(({ key, published }) => ({ issuer, audiences, key, published })),
  };
}

// One key is always usable: Envoy refuses a key set without any (docs/differences.md envoy-rejects).
function publish(random: Random, name: TestKeyName, canBeUnusable: boolean): JsonWebKey {
  const { kid, ...members } = publicKey(name);
  const alg = random.chance(0.3) ? { alg: random.pick(ALGORITHMS_OF[name]) } : {};
  const use = random.weighted<JsonWebKey>([
    [8, {}],
    [2, { use: "sig" }],
    [canBeUnusable ? 1 : 0, { use: "enc" }],
  ]);
  const named = random.weighted<JsonWebKey>([
    [6, { kid }],
    [2, {}],
    [1, { kid: "k" }],
  ]);
  return { ...members, ...named, ...alg, ...use };
}

function locations(random: Random): Partial<JwtRuleSpec> {
  if (random.chance(0.45)) return {};
  const fromHeaders = random.some(
    [
      { name: "Authorization", prefix: "Bearer " },
      { name: "x-token" },
      { name: "X-Auth", prefix: "Token " },
      { name: "authorization" },
    ],
    0,
    2,
  );
  const fromParams = random.some(["token", "access_token"], 0, random.pick([0, 1, 2]));
  const fromCookies = random.some(["session", "jwt"], 0, random.pick([0, 1]));
  return {
    ...(fromHeaders.length > 0 ? { fromHeaders } : {}),
    ...(fromParams.length > 0 ? { fromParams } : {}),
    ...(fromCookies.length > 0 ? { fromCookies } : {}),
  };
}

function outputs(random: Random): Partial<JwtRuleSpec> {
  const claims = ["sub", "role", "groups", "num", "org.role", "org", "flag", "exp", "scope", "missing"];
  const outputClaimToHeaders = random.chance(0.4)
    ? random.some(claims, 1, 3).map((claim) => ({ header: random.pick(OUTPUT_HEADERS), claim }))
    : [];
  return {
    ...(random.chance(0.25) ? { outputPayloadToHeader: "x-jwt-payload" } : {}),
    ...(outputClaimToHeaders.length > 0 ? { outputClaimToHeaders } : {}),
  };
}
