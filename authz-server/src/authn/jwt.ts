import { isJsonList, isJsonObject, type JsonMembers, type JsonValue, parseJson } from "./json.ts";
import type { JwtFailure } from "./jwt-status.ts";
import { SIGNATURE_ALGORITHMS, type Signed } from "./key-set.ts";

/** Longer tokens are refused unread, in bytes. */
const MAX_TOKEN_BYTES = 32 * 1024;

/** A token taken apart. Nothing of it is verified. */
export interface Jwt extends Signed {
  /** Empty when absent. */
  readonly kid: string;
  readonly issuer: string;
  readonly audiences: readonly string[];
  /** Seconds since the epoch; undefined when absent. */
  readonly notBeforeSec: number | undefined;
  readonly expiresSec: number | undefined;
  readonly payload: JsonMembers;
  /** The middle segment as sent. */
  readonly payloadSegment: string;
}

/**
 * Takes a compact JWS apart and checks its shape in Envoy's order, so that the first fault gives Envoy's status.
 * Stricter than Envoy: canonical base64url, exactly two dots, strict JSON, no `crit`, `exp: 0` is a time in 1970.
 */
export function parseJwt(token: string): Jwt | JwtFailure {
  if (token.length > MAX_TOKEN_BYTES) return "JwtBadFormat";
  const [headerSegment, payloadSegment, signatureSegment, ...rest] = token.split(".", 4);
  if (!headerSegment || !payloadSegment || !signatureSegment || rest.length > 0) return faultOfOddDots(token);
  const header = parseHeader(headerSegment);
  if (typeof header === "string") return header;
  const payload = parsePayload(payloadSegment);
  if (typeof payload === "string") return payload;
  const signature = decodeBase64Url(signatureSegment) ?? neverValid(signatureSegment);
  if (signature === undefined) return "JwtSignatureParseErrorBadBase64";
  const signingInput = token.slice(0, headerSegment.length + 1 + payloadSegment.length);
  return { ...header, ...payload, payloadSegment, signingInput, signature };
}

/** Envoy passes over dots at the beginning and takes what follows. We only name the fault that it then sees, and take no such token. */
function faultOfOddDots(token: string): JwtFailure {
  const jwt = token.startsWith(".") ? parseJwt(token.replace(/^\.+/, "")) : "JwtBadFormat";
  return typeof jwt === "string" ? jwt : "JwtBadFormat";
}

/** For a signature that Envoy would decode although its encoding is not the one canonical text: as long, and valid in no algorithm. */
function neverValid(segment: string): Uint8Array | undefined {
  return isLooseBase64Url(segment) ? Buffer.alloc(Buffer.from(segment, "base64url").length, 0xff) : undefined;
}

/** What Envoy's decoder takes: it passes over blanks and ignores stray last bits. */
function isLooseBase64Url(segment: string): boolean {
  const text = segment.replace(/[ \t\n\v\f\r]/g, "");
  return /^[A-Za-z0-9_-]*$/.test(text) && text.length % 4 !== 1;
}

/** Text that is not canonical is refused; where Envoy would go on to see that it is no JSON either, it says so. */
function isNoJsonEither(segment: string): boolean {
  return isLooseBase64Url(segment) && !isJsonObject(parseUtf8Json(Buffer.from(segment, "base64url")));
}

function parseHeader(segment: string): Pick<Jwt, "alg" | "kid"> | JwtFailure {
  const bytes = decodeBase64Url(segment);
  if (bytes === undefined) {
    return isNoJsonEither(segment) ? "JwtHeaderParseErrorBadJson" : "JwtHeaderParseErrorBadBase64";
  }
  const header = parseUtf8Json(bytes);
  if (!isJsonObject(header)) return "JwtHeaderParseErrorBadJson";
  const alg = header.get("alg");
  if (typeof alg !== "string") return "JwtHeaderBadAlg";
  const supported = SIGNATURE_ALGORITHMS.find((algorithm) => algorithm === alg);
  if (supported === undefined) return "JwtHeaderNotImplementedAlg";
  const kid = header.get("kid");
  if (kid !== undefined && typeof kid !== "string") return "JwtHeaderBadKid";
  // RFC 7515 §4.1.11: a recipient that does not understand an extension must refuse; we understand none.
  if (header.has("crit")) return "JwtHeaderCritNotSupported";
  return { alg: supported, kid: kid ?? "" };
}

type Claims = Pick<Jwt, "issuer" | "audiences" | "notBeforeSec" | "expiresSec" | "payload">;

function parsePayload(segment: string): Claims | JwtFailure {
  const bytes = decodeBase64Url(segment);
  if (bytes === undefined) {
    return isNoJsonEither(segment) ? "JwtPayloadParseErrorBadJson" : "JwtPayloadParseErrorBadBase64";
  }
  const payload = parseUtf8Json(bytes);
  if (!isJsonObject(payload)) return "JwtPayloadParseErrorBadJson";
  const issuer = payload.get("iss") ?? "";
  if (typeof issuer !== "string" || payload.get("iss") === null) return "JwtPayloadParseErrorIssNotString";
  if (!isStringOrAbsent(payload.get("sub"))) return "JwtPayloadParseErrorSubNotString";
  const iat = toSeconds(payload.get("iat"));
  if (typeof iat === "string") return `JwtPayloadParseErrorIat${iat}`;
  const notBeforeSec = toSeconds(payload.get("nbf"));
  if (typeof notBeforeSec === "string") return `JwtPayloadParseErrorNbf${notBeforeSec}`;
  const expiresSec = toSeconds(payload.get("exp"));
  if (typeof expiresSec === "string") return `JwtPayloadParseErrorExp${expiresSec}`;
  if (!isStringOrAbsent(payload.get("jti"))) return "JwtPayloadParseErrorJtiNotString";
  const audiences = toAudiences(payload.get("aud"));
  if (audiences === undefined) return "JwtPayloadParseErrorAudNotString";
  return { issuer, audiences, notBeforeSec, expiresSec, payload };
}

function isStringOrAbsent(value: JsonValue | undefined): boolean {
  return value === undefined || typeof value === "string";
}

const TWO_TO_64 = 2 ** 64;

function toSeconds(value: JsonValue | undefined): number | undefined | "NotInteger" | "OutOfRange" {
  if (value === undefined) return undefined;
  if (typeof value !== "number") return "NotInteger";
  return value < 0 || value >= TWO_TO_64 ? "OutOfRange" : Math.floor(value);
}

function toAudiences(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined) return [];
  if (typeof value === "string") return [value];
  if (!isJsonList(value)) return undefined;
  const audiences = value.filter((element) => typeof element === "string");
  return audiences.length === value.length ? audiences : undefined;
}

// The comparison refuses every text that is not the one canonical encoding: other alphabets, padding, stray last bits, blanks.
function decodeBase64Url(segment: string): Buffer | undefined {
  const bytes = Buffer.from(segment, "base64url");
  return bytes.toString("base64url") === segment ? bytes : undefined;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parseUtf8Json(bytes: Uint8Array): JsonValue | undefined {
  try {
    return parseJson(UTF8.decode(bytes));
  } catch {
    return undefined; // invalid UTF-8: the only thing that throws here
  }
}
