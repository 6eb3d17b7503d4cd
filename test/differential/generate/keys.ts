import { constants, createHmac, createPrivateKey, createSecretKey, type KeyObject, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Algorithm, TestKeyName } from "../../support/jwt.ts";

/** A key of the tests as a JWK. */
export type JsonWebKey = Readonly<Record<string, unknown>>;

/** The algorithms that a key can sign with. */
export const ALGORITHMS_OF: Readonly<Record<TestKeyName, readonly Algorithm[]>> = {
  "rsa-2048": ["RS256", "PS256", "RS384", "PS512"],
  "rsa-3072": ["RS512", "RS256", "PS384"],
  "ec-p256": ["ES256"],
  "ec-p384": ["ES384"],
  "ec-p521": ["ES512"],
  ed25519: ["EdDSA"],
  "oct-512": ["HS256", "HS384", "HS512"],
  "rogue-rsa-2048": ["RS256"],
};

const PRIVATE_MEMBERS: ReadonlySet<string> = new Set(["d", "p", "q", "dp", "dq", "qi"]);

/** What a key set holds of a key. */
export function publicKey(name: TestKeyName): JsonWebKey {
  return Object.fromEntries(Object.entries(readKey(name)).filter(([member]) => !PRIVATE_MEMBERS.has(member)));
}

/** Signs a text as the algorithm says, whatever the text is. */
export function signText(text: string, name: TestKeyName, alg: Algorithm): string {
  const data = Buffer.from(text);
  const key = signingKey(name);
  const hash = `sha${alg.slice(2)}`;
  switch (alg.slice(0, 2)) {
    case "HS":
      return createHmac(hash, key).update(data).digest("base64url");
    case "RS":
      return sign(hash, data, key).toString("base64url");
    case "PS":
      return sign(hash, data, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      }).toString("base64url");
    case "ES":
      return sign(hash, data, { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
    default:
      return sign(null, data, key).toString("base64url");
  }
}

const keyFiles = new Map<TestKeyName, JsonWebKey>();
const signingKeys = new Map<TestKeyName, KeyObject>();

function readKey(name: TestKeyName): JsonWebKey {
  const known = keyFiles.get(name);
  if (known !== undefined) return known;
  const file: JsonWebKey = JSON.parse(
    readFileSync(new URL(`../../support/keys/${name}.json`, import.meta.url), "utf8"),
  );
  keyFiles.set(name, file);
  return file;
}

function signingKey(name: TestKeyName): KeyObject {
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const jwk = readKey(name);
  const key =
    jwk["kty"] === "oct"
      ? createSecretKey(Buffer.from(String(jwk["k"]), "base64url"))
      : createPrivateKey({ key: { ...jwk }, format: "jwk" });
  signingKeys.set(name, key);
  return key;
}
