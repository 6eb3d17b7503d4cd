import {
  constants,
  createHmac,
  createPublicKey,
  createSecretKey,
  type KeyObject,
  timingSafeEqual,
  verify,
} from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Jwk, KeySet } from "@gatehouse/protos";
import { importJWK } from "jose";
import {
  type ImportedKeySet,
  indexKeys,
  type SignatureAlgorithm,
  type Signed,
  type VerificationKey,
} from "./key-set.ts";

/** Keys imported in one turn of the event loop: a set can have thousands, and checks go on in between. */
const KEYS_PER_TURN = 100;

let nextId = 1;

/**
 * Imports a key set; once per version of it.
 * @throws Error if a key is not usable: the controller has checked them all, so the set is refused as a whole
 */
export async function importKeySet(keySet: KeySet): Promise<ImportedKeySet> {
  const keys: VerificationKey[] = [];
  for (const [i, jwk] of keySet.keys.entries()) {
    if (i % KEYS_PER_TURN === KEYS_PER_TURN - 1) await nextTurn();
    keys.push(await importKey(jwk));
  }
  return { id: nextId++, state: keySet.state, ...indexKeys(keys) };
}

async function importKey(jwk: Jwk): Promise<VerificationKey> {
  const { kid, alg, ...members } = jwk;
  const algorithms = algorithmsOf(jwk);
  const imported = await importJWK(members, algorithms[0]);
  // Made by `KeyObject.from`, a key costs each verification some look-ups more.
  const key =
    imported instanceof Uint8Array
      ? createSecretKey(imported)
      : createPublicKey({ key: { ...members }, format: "jwk" });
  return { kid, alg, algorithms, verifies: (signed) => isSignedBy(key, signed) };
}

function algorithmsOf(jwk: Jwk): readonly SignatureAlgorithm[] {
  switch (jwk.kty) {
    case "RSA":
      return ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    case "EC":
      return [({ "P-256": "ES256", "P-384": "ES384", "P-521": "ES512" } as const)[jwk.crv]];
    case "oct":
      return ["HS256", "HS384", "HS512"];
    case "OKP":
      return ["EdDSA"];
  }
}

function isSignedBy(key: KeyObject, signed: Signed): boolean {
  try {
    return checkSignature(key, signed);
  } catch {
    return false; // OpenSSL refuses some malformed signatures by an error
  }
}

// Synchronous on purpose: a check takes 20 to 150 µs, handing it to another thread costs as much again.
function checkSignature(key: KeyObject, { alg, signingInput, signature }: Signed): boolean {
  const data = Buffer.from(signingInput, "latin1");
  const { hash, scheme } = ALGORITHMS[alg];
  switch (scheme) {
    case "hmac": {
      const expected = createHmac(hash, key).update(data).digest();
      return expected.length === signature.length && timingSafeEqual(expected, signature);
    }
    case "pkcs1":
      // The padding of a bare RSA key; options cost each verification some microseconds.
      return verify(hash, data, key, signature);
    case "pss":
      return verify(hash, data, { key, ...PSS }, signature);
    case "ecdsa":
      return verify(hash, data, { key, dsaEncoding: "ieee-p1363" }, signature);
    case "eddsa":
      return verify(null, data, key, signature);
  }
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };

type Scheme = "hmac" | "pkcs1" | "pss" | "ecdsa" | "eddsa";

const ALGORITHMS: { readonly [Alg in SignatureAlgorithm]: { readonly hash: string; readonly scheme: Scheme } } = {
  HS256: { hash: "sha256", scheme: "hmac" },
  HS384: { hash: "sha384", scheme: "hmac" },
  HS512: { hash: "sha512", scheme: "hmac" },
  RS256: { hash: "sha256", scheme: "pkcs1" },
  RS384: { hash: "sha384", scheme: "pkcs1" },
  RS512: { hash: "sha512", scheme: "pkcs1" },
  PS256: { hash: "sha256", scheme: "pss" },
  PS384: { hash: "sha384", scheme: "pss" },
  PS512: { hash: "sha512", scheme: "pss" },
  ES256: { hash: "sha256", scheme: "ecdsa" },
  ES384: { hash: "sha384", scheme: "ecdsa" },
  ES512: { hash: "sha512", scheme: "ecdsa" },
  EdDSA: { hash: "", scheme: "eddsa" },
};
