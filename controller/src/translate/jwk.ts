import type { Jwk } from "@gatehouse/protos";
import { decodeBase64Url, encodeBase64Url } from "./base64.ts";
import { type CurveName, coordinateBytes, isOnCurve } from "./ec-curve.ts";
import { broken, type Parsed, parsed } from "./parsed.ts";

/** A member of a JSON object whose type is not known yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads one key of a key set. Only the members that verification needs are copied, so private ones never leave the document.
 * Findings are Envoy's words where Envoy has them. Stricter than Envoy, on purpose: RSA below 2048 bits, HMAC below
 * 32 bytes, and keys that are declared for something else than verification are refused.
 */
export function readJwk(document: JsonObject): Parsed<Jwk> {
  const kty = document["kty"];
  if (kty === undefined) return broken("[kty] is missing in [keys]");
  if (typeof kty !== "string") return broken("[kty] is bad in [keys]");
  if (document["use"] === "enc") return broken("[use] is enc: the key is not for signatures");
  const operations = document["key_ops"];
  if (Array.isArray(operations) && !operations.includes("verify") && !isSymmetricSigner(kty, operations)) {
    return broken("[key_ops] lacks verify: the key is not for verification");
  }
  switch (kty) {
    case "RSA":
      return readRsa(document);
    case "EC":
      return readEc(document);
    case "oct":
      return readOct(document);
    case "OKP":
      return readOkp(document);
    default:
      return broken("[kty] is not supported in [keys]");
  }
}

/** True when the document holds a private or symmetric key. */
export function holdsSecret(document: JsonObject): boolean {
  return document["kty"] === "oct" ? "k" in document : "d" in document || "p" in document || "q" in document;
}

// A secret that signs also verifies.
function isSymmetricSigner(kty: string, operations: readonly unknown[]): boolean {
  return kty === "oct" && operations.includes("sign");
}

function text(document: JsonObject, name: string): string {
  const value = document[name];
  return typeof value === "string" ? value : "";
}

function common(document: JsonObject): { readonly kid: string; readonly alg: string } {
  return { kid: text(document, "kid"), alg: text(document, "alg") };
}

/** @param of as Envoy names the kind of key: `a RSA key` */
function required(document: JsonObject, name: string, of: string): Parsed<readonly number[]> {
  const value = document[name];
  if (value === undefined) return broken(`[${name}] field is missing for ${of}`);
  if (typeof value !== "string") return broken(`[${name}] field is not string for ${of}`);
  const bytes = decodeBase64Url(value);
  return bytes === null ? broken(`[${name}] field is not valid base64url for ${of}`) : parsed(bytes);
}

function withoutLeadingZeros(bytes: readonly number[]): readonly number[] {
  const first = bytes.findIndex((byte) => byte !== 0);
  return first < 0 ? [] : bytes.slice(first);
}

function readRsa(document: JsonObject): Parsed<Jwk> {
  const { kid, alg } = common(document);
  if (alg !== "" && !/^(RS|PS)/.test(alg)) return broken("[alg] is not started with [RS] or [PS] for an RSA key");
  const n = required(document, "n", "a RSA key");
  const e = required(document, "e", "a RSA key");
  if (n.value === null) return n;
  if (e.value === null) return e;
  const modulus = withoutLeadingZeros(n.value);
  const exponent = withoutLeadingZeros(e.value);
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < 2048 || bits > 16_384) return broken(`RSA key of ${Math.max(bits, 0)} bits: 2048 to 16384 are accepted`);
  if (!["3", "1,0,1"].includes(exponent.join())) return broken("RSA exponent [e] is neither 3 nor 65537");
  return parsed({ kty: "RSA", kid, alg, n: encodeBase64Url(modulus), e: encodeBase64Url(exponent) });
}

const CURVE_OF_ALG: ReadonlyMap<string, CurveName> = new Map([
  ["ES256", "P-256"],
  ["ES384", "P-384"],
  ["ES512", "P-521"],
]);

function readEc(document: JsonObject): Parsed<Jwk> {
  const { kid, alg } = common(document);
  if (alg !== "" && !alg.startsWith("ES")) return broken("[alg] is not started with [ES] for an EC key");
  const crv = readCurve(document, alg);
  if (crv.value === null) return crv;
  const x = readCoordinate(document, "x", crv.value);
  const y = readCoordinate(document, "y", crv.value);
  if (x.value === null) return x;
  if (y.value === null) return y;
  if (!isOnCurve(crv.value, x.value, y.value))
    return broken(`[x] and [y] are not a point of ${crv.value} for an EC key`);
  return parsed({ kty: "EC", kid, alg, crv: crv.value, x: encodeBase64Url(x.value), y: encodeBase64Url(y.value) });
}

function readCurve(document: JsonObject, alg: string): Parsed<CurveName> {
  const crv = document["crv"] ?? "";
  if (typeof crv !== "string") return broken("[crv] field is not string for an EC key");
  const byAlg = alg === "" ? undefined : CURVE_OF_ALG.get(alg);
  if (alg !== "" && byAlg === undefined) return broken("[crv] or [alg] field is not supported for an EC key");
  if (crv === "") return parsed(byAlg ?? "P-256");
  const byName = [...CURVE_OF_ALG.values()].find((name) => name === crv);
  if (byName === undefined) return broken("[crv] or [alg] field is not supported for an EC key");
  if (byAlg !== undefined && byAlg !== byName) {
    return broken("[crv] field specified is not compatible with [alg] for an EC key");
  }
  return parsed(byName);
}

/** The coordinate in its full length: some issuers leave leading zeros out. */
function readCoordinate(document: JsonObject, name: "x" | "y", crv: CurveName): Parsed<readonly number[]> {
  const member = required(document, name, "an EC key");
  if (member.value === null) return member;
  const bytes = withoutLeadingZeros(member.value);
  const missing = coordinateBytes(crv) - bytes.length;
  if (missing < 0) return broken(`[${name}] field is too long for ${crv} for an EC key`);
  return parsed([...new Array<number>(missing).fill(0), ...bytes]);
}

function readOct(document: JsonObject): Parsed<Jwk> {
  const { kid, alg } = common(document);
  if (alg !== "" && !alg.startsWith("HS")) return broken("[alg] does not start with [HS] for an HMAC key");
  const k = required(document, "k", "an HMAC key");
  if (k.value === null) return k;
  if (k.value.length < 32) return broken(`HMAC key of ${k.value.length} bytes: at least 32 are needed`);
  return parsed({ kty: "oct", kid, alg, k: encodeBase64Url(k.value) });
}

function readOkp(document: JsonObject): Parsed<Jwk> {
  const { kid, alg } = common(document);
  if (alg !== "" && alg !== "EdDSA") return broken("[alg] is not [EdDSA] for an OKP key");
  const crv = document["crv"];
  if (crv === undefined) return broken("[crv] field is missing for an OKP key");
  if (typeof crv !== "string") return broken("[crv] field is not string for an OKP key");
  if (crv !== "Ed25519") return broken("[crv] field is not supported for an OKP key");
  const x = required(document, "x", "an OKP key");
  if (x.value === null) return x;
  if (x.value.length !== 32) return broken("Jwks OKP [x] field is wrong length.");
  return parsed({ kty: "OKP", kid, alg, crv, x: encodeBase64Url(x.value) });
}
