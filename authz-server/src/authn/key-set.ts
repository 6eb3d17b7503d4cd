import type { KeySet } from "@gatehouse/protos";
import type { JwtFailure } from "./jwt-status.ts";

/** A key set whose keys are ready for use. `id` is new for every import: what is cached under it never outlives a key. */
export interface ImportedKeySet {
  readonly id: number;
  readonly state: KeySet["state"];
  /** In the order of the document. */
  readonly keys: readonly VerificationKey[];
  /** For a token's `kid`, the keys of that name and those without one, in the order of the document. */
  readonly byKid: ReadonlyMap<string, readonly VerificationKey[]>;
  /** For a token with any other `kid`. */
  readonly withoutKid: readonly VerificationKey[];
}

/** `kid` and `alg` are empty when the JWK has none. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: string;
  /** The algorithms that this key can verify; the key decides, never the token alone. */
  readonly algorithms: readonly SignatureAlgorithm[];
  /** Never throws. */
  readonly verifies: (signed: Signed) => boolean;
}

/** What of a token a key looks at. */
export interface Signed {
  readonly alg: SignatureAlgorithm;
  /** The first two segments with the dot between. */
  readonly signingInput: string;
  readonly signature: Uint8Array;
}

/** The algorithms of Envoy's jwt_authn. */
export const SIGNATURE_ALGORITHMS = [
  "ES256",
  "ES384",
  "ES512",
  "HS256",
  "HS384",
  "HS512",
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "EdDSA",
] as const;
export type SignatureAlgorithm = (typeof SIGNATURE_ALGORITHMS)[number];

/** The keys of a rule whose keys never arrived: its tokens fail verification. */
export const NO_KEYS: ImportedKeySet = { id: 0, state: "unavailable", ...indexKeys([]) };

/** Sorts keys so that finding those for a token costs the same whatever their number. */
export function indexKeys(keys: readonly VerificationKey[]): Pick<ImportedKeySet, "keys" | "byKid" | "withoutKid"> {
  const withoutKid = keys.filter(({ kid }) => kid === "");
  const byKid = new Map<string, VerificationKey[]>();
  for (const { kid } of keys) if (kid !== "") byKid.set(kid, []);
  for (const key of keys) {
    if (key.kid === "") for (const fitting of byKid.values()) fitting.push(key);
    else byKid.get(key.kid)?.push(key);
  }
  return { keys, byKid, withoutKid };
}

/**
 * Whether a token that was not verified may be signed with a key that its issuer has, but this set has not: a new one, or none was ever fetched.
 * @param kid of the token, empty when absent
 */
export function mayLackKey(keySet: ImportedKeySet, kid: string): boolean {
  return keySet.state !== "ready" || kid === "" || !keySet.byKid.has(kid);
}

/** A token that names no key makes us try them one by one; this bounds what it can cost. */
const MAX_KEYS_TRIED = 16;

/**
 * Verifies a signature with the first fitting key, as Envoy chooses: keys of another `kid` or another `alg` are passed over, a key
 * without them is tried. A key whose type does not fit the token's algorithm counts as tried and failed.
 * @param kid of the token, empty when absent
 * @returns the key that verifies it, or why none does
 */
export function verifySignature(signed: Signed, kid: string, keySet: ImportedKeySet): VerificationKey | JwtFailure {
  if (keySet.state === "noValidKeys") return "JwksNoValidKeys";
  if (keySet.state === "unavailable") return "JwtVerificationFail";
  let failure: JwtFailure = "JwksKidAlgMismatch";
  let tried = 0;
  for (const key of kid === "" ? keySet.keys : (keySet.byKid.get(kid) ?? keySet.withoutKid)) {
    if (key.alg !== "" && key.alg !== signed.alg) continue;
    failure = "JwtVerificationFail";
    // Envoy tries a key by its type alone, and ends its search when an Ed25519 key meets a signature of another length.
    if (key.algorithms.includes("EdDSA") && signed.signature.length !== 64) return "JwtEd25519SignatureWrongLength";
    if (!key.algorithms.includes(signed.alg)) continue;
    if (key.verifies(signed)) return key;
    if (++tried === MAX_KEYS_TRIED) break;
  }
  return failure;
}
