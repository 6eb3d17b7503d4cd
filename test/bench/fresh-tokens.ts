import { createPrivateKey, sign as signBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { TEST_ISSUER } from "../support/jwt.ts";

/** The commonest algorithm, the commonest on elliptic curves, and the newest. */
export const FRESH_ALGORITHMS = ["RS256", "ES256", "EdDSA"] as const;
export type FreshAlgorithm = (typeof FRESH_ALGORITHMS)[number];

const signed = new Map<FreshAlgorithm, readonly string[]>();

/** So many tokens of the test issuer that differ; the same ones each time, as signing takes longer than anything else. */
export function signTokens(alg: FreshAlgorithm, count: number): readonly string[] {
  const known = signed.get(alg) ?? [];
  const tokens = [...known, ...sign(alg, known.length, Math.max(known.length, count))];
  signed.set(alg, tokens);
  return tokens.slice(0, count);
}

/** Tokens with these numbers. */
function sign(alg: FreshAlgorithm, from: number, to: number): readonly string[] {
  const kid = KEYS[alg];
  const jwk = JSON.parse(readFileSync(new URL(`../support/keys/${kid}.json`, import.meta.url), "utf8"));
  const key = { key: createPrivateKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" } as const;
  const header = encode({ alg, kid, typ: "JWT" });
  const times = { iat: 1_700_000_000, exp: 4_102_444_800 };
  return Array.from({ length: to - from }, (_, n) => {
    const jti = (from + n).toString().padStart(8, "0");
    const payload = encode({ iss: TEST_ISSUER, sub: TEST_ISSUER, ...times, jti });
    const signature = signBytes(alg === "EdDSA" ? null : "sha256", Buffer.from(`${header}.${payload}`), key);
    return `${header}.${payload}.${signature.toString("base64url")}`;
  });
}

const KEYS = { RS256: "rsa-2048", ES256: "ec-p256", EdDSA: "ed25519" } as const;

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
