import fc from "fast-check";
import { expect, test } from "vitest";
import { type CheckAnswer, createCheckHarness } from "../support/check-harness.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { runs } from "./policies.ts";

const TIMEOUT_MS = 600_000;

/** `:path` as the upstream gets it. */
function forwardedPath(sent: string, answer: CheckAnswer): string {
  return answer.set.get(":path") ?? sent;
}

const piece = fc.constantFrom(
  "/",
  "//",
  ".",
  "..",
  "%2e",
  "%2f",
  "%5c",
  "\\",
  ";",
  "a",
  "%61",
  "%",
  "?",
  "%7E",
  "%00",
  "*",
  "b",
);
const path = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

test.each(["BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"])(
  "P1 in mode %s the path that is forwarded is normal, and stays so",
  async (mode) => {
    const meshConfig = `pathNormalization: { normalization: ${mode} }`;
    const server = await createCheckHarness({ policies: "", meshConfig });
    await fc.assert(
      fc.asyncProperty(path, async (sent) => {
        const answer = await server.check({ path: sent });
        if (answer.code !== 0) {
          expect(answer.status).toBe(400);
          return;
        }
        const forwarded = forwardedPath(sent, answer);
        const again = await server.check({ path: forwarded });
        expect(forwardedPath(forwarded, again)).toBe(forwarded);
        const [plain = ""] = forwarded.split("?");
        expect(plain).not.toMatch(/\/\.\.?(\/|$)|\\|%00|%61|%7E/);
        if (mode !== "BASE" && plain !== "//") expect(plain).not.toContain("//");
      }),
      runs(1000),
    );
  },
  TIMEOUT_MS,
);

const OUTPUTS = ["x-jwt-sub", "x-jwt-groups", "x-jwt-payload"];
const AUTHENTICATION = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ra, namespace: foo }
spec:
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${publicJwks()}'
      outputPayloadToHeader: x-jwt-payload
      outputClaimToHeaders: [{ header: x-jwt-sub, claim: sub }, { header: X-JWT-Groups, claim: groups }]
`;

/** What an upstream may take for one of the output headers: names in any case, with `_` for `-`. */
function outputsAtUpstream(sent: readonly (readonly [string, string])[], answer: CheckAnswer): readonly string[] {
  const kept = sent.filter(([name]) => !answer.removed.includes(name) && !answer.set.has(name));
  return [...kept, ...answer.set]
    .filter(([name]) => OUTPUTS.includes(name.toLowerCase().replaceAll("_", "-")))
    .map(([name, value]) => `${name}: ${value}`)
    .toSorted();
}

test(
  "P7 output headers come from verified claims alone, whatever the client sends",
  async () => {
    const server = await createCheckHarness({ policies: AUTHENTICATION });
    const tokens = await Promise.all(
      [{ sub: "u1" }, { sub: "", groups: ["a"] }, { sub: "a\r\nb" }, {}].map((claims) => mintTestToken(claims)),
    );
    const names = [...OUTPUTS, "x_jwt_sub", "x-jwt_groups", "x_jwt-payload", "x-other", "x-jwt-su"];
    const headers = fc.array(fc.tuple(fc.constantFrom(...names), fc.constantFrom("admin", "", "spoofed")), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(undefined, ...tokens), headers, async (token, sent) => {
        const user = token === undefined ? {} : { token };
        const alone = await server.check(user);
        const answer = await server.check({ ...user, headers: sent });
        expect(outputsAtUpstream(sent, answer)).toEqual(outputsAtUpstream([], alone));
        expect([...answer.set.keys()].filter((name) => answer.removed.includes(name))).toEqual([]);
      }),
      runs(1000),
    );
  },
  TIMEOUT_MS,
);

const KEYS = ["rsa-2048", "rsa-3072", "ec-p256", "ed25519", "oct-512"] as const;
const ALGORITHM = {
  "rsa-2048": "RS256",
  "rsa-3072": "RS256",
  "ec-p256": "ES256",
  ed25519: "EdDSA",
  "oct-512": "HS256",
} as const;

interface KeyUse {
  readonly key: (typeof KEYS)[number];
  readonly withKid: boolean;
  readonly withAlg: boolean;
}

const keyUse: fc.Arbitrary<KeyUse> = fc.record({
  key: fc.constantFrom(...KEYS),
  withKid: fc.boolean(),
  withAlg: fc.boolean(),
});

test(
  "P10 a token is accepted exactly when a usable key of the set has signed it",
  async () => {
    const server = await createCheckHarness({ policies: "", tokenCache: { entries: 0, bytes: 0 } });
    const tokens = new Map<string, string>();
    for (const key of KEYS) {
      for (const kid of [key, "unknown", null]) {
        tokens.set(`${key} ${kid}`, await mintTestToken({}, { key, kid, alg: ALGORITHM[key] }));
      }
    }
    const input = fc.record({
      set: fc.array(keyUse, { maxLength: 5 }),
      signer: fc.constantFrom(...KEYS),
      kid: fc.constantFrom("own", "unknown", "none"),
    });
    await fc.assert(
      fc.asyncProperty(input, async ({ set, signer, kid: choice }) => {
        const kid = { own: signer, unknown: "unknown", none: null }[choice];
        await server.apply(AUTHENTICATION.replace(publicJwks(), jwksOf(set)));
        const { status } = await server.check({ token: tokens.get(`${signer} ${kid}`) ?? "" });
        expect(status).toBe(isSignedByOneOf(set, signer, kid) ? 200 : 401);
      }),
      runs(1000),
    );
  },
  TIMEOUT_MS,
);

/** Keys are looked at in order; one whose id or algorithm is another is passed over. */
function isSignedByOneOf(set: readonly KeyUse[], signer: KeyUse["key"], kid: string | null): boolean {
  for (const { key, withKid, withAlg } of set) {
    if (kid !== null && withKid && kid !== key) continue;
    if (withAlg && ALGORITHM[key] !== ALGORITHM[signer]) continue;
    // Envoy's search ends at an Ed25519 key when the signature has not 64 bytes.
    if (key === "ed25519" && !["ec-p256", "ed25519"].includes(signer)) return false;
    if (key === signer) return true;
  }
  return false;
}

function jwksOf(set: readonly KeyUse[]): string {
  const { keys }: { readonly keys: readonly Readonly<Record<string, string>>[] } = JSON.parse(publicJwks(...KEYS));
  const chosen = set.map(({ key, withKid, withAlg }) => {
    const { kid, alg: _, ...members } = keys[KEYS.indexOf(key)] ?? {};
    return { ...members, ...(withKid ? { kid } : {}), ...(withAlg ? { alg: ALGORITHM[key] } : {}) };
  });
  return JSON.stringify({ keys: chosen });
}
