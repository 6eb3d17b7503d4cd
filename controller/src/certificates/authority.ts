import { createPrivateKey, X509Certificate } from "node:crypto";
import { readCertificates } from "@gatehouse/protos/channel";
import { issueAuthority, type KeyPair, type Validity } from "./issue.ts";

/** What the Secret of the certificate authority holds. */
export interface Authority {
  /** Signs new certificates: `tls.crt`, `tls.key`. */
  readonly issuing: KeyPair;
  /** Known to everybody soon, and signs then: `next.crt`, `next.key`. */
  readonly next: KeyPair | null;
  /** All that count, in PEM: those two, and those before them until they end: `ca.crt`. */
  readonly trusted: readonly string[];
}

export type AuthorityResult =
  | { readonly ok: true; readonly authority: Authority | null }
  | { readonly ok: false; readonly message: string };

/** How long an authority lives. */
export const AUTHORITY_LIFE_MS: number = 365 * 24 * 3600_000;
/** How long the next authority is known before it signs: longer than it takes a changed Secret to reach every process. */
export const ANNOUNCE_MS = 3600_000;
/** Clocks differ: what is made now is valid since then. */
export const BACKDATE_MS = 600_000;

/** Reads the data of the Secret. Empty is null; what is there and can't be used is never overwritten. */
export function readAuthority(data: ReadonlyMap<string, string>): AuthorityResult {
  const text = (key: string) => data.get(key)?.trim() ?? "";
  if (["tls.crt", "tls.key", "ca.crt"].every((key) => text(key) === "")) return { ok: true, authority: null };
  const issuing = readKeyPair(text("tls.crt"), text("tls.key"));
  if (issuing === null) return { ok: false, message: "tls.crt and tls.key are no P-256 certificate authority" };
  const hasNext = text("next.crt") !== "" || text("next.key") !== "";
  const next = hasNext ? readKeyPair(text("next.crt"), text("next.key")) : null;
  if (hasNext && next === null)
    return { ok: false, message: "next.crt and next.key are no P-256 certificate authority" };
  const trusted = readCertificates(text("ca.crt"))?.map((certificate) => certificate.toString());
  if (trusted === undefined || !trusted.includes(new X509Certificate(issuing.certificate).toString())) {
    return { ok: false, message: "ca.crt does not hold the certificate of tls.crt" };
  }
  return { ok: true, authority: { issuing, next, trusted } };
}

/** The data of the Secret. */
export function writeAuthority({ issuing, next, trusted }: Authority): ReadonlyMap<string, string> {
  return new Map([
    ["tls.crt", issuing.certificate],
    ["tls.key", issuing.privateKey],
    ["ca.crt", trusted.join("")],
    ["next.crt", next?.certificate ?? ""],
    ["next.key", next?.privateKey ?? ""],
  ]);
}

/**
 * What has to become of an authority: made if there is none, followed by the next one at two thirds of its life. The next one is
 * announced first and signs later, so that nobody meets a certificate of an authority that it does not know.
 * @returns null when nothing has to be done
 */
export async function renewAuthority(authority: Authority | null, nowMs: number): Promise<Authority | null> {
  const validity = { fromMs: nowMs - BACKDATE_MS, toMs: nowMs + AUTHORITY_LIFE_MS };
  if (authority === null || validityOf(authority.issuing.certificate).toMs <= nowMs) {
    const issuing = await issueAuthority(validity);
    return { issuing, next: null, trusted: [issuing.certificate] };
  }
  const { issuing, next } = authority;
  const trusted = authority.trusted.filter((certificate) => validityOf(certificate).toMs > nowMs);
  if (next !== null && nowMs >= validityOf(next.certificate).fromMs + BACKDATE_MS + ANNOUNCE_MS) {
    return { issuing: next, next: null, trusted };
  }
  if (next === null && isPast(2 / 3, validityOf(issuing.certificate), nowMs)) {
    const announced = await issueAuthority(validity);
    return { issuing, next: announced, trusted: [announced.certificate, ...trusted] };
  }
  return trusted.length === authority.trusted.length ? null : { issuing, next, trusted };
}

/** Whether that part of a life is over. */
export function isPast(fraction: number, { fromMs, toMs }: Validity, nowMs: number): boolean {
  return nowMs >= fromMs + (toMs - fromMs) * fraction;
}

/** @param certificate in PEM */
export function validityOf(certificate: string): Validity {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return { fromMs: validFromDate.getTime(), toMs: validToDate.getTime() };
}

function readKeyPair(certificate: string, privateKey: string): KeyPair | null {
  const [parsed, ...more] = readCertificates(certificate) ?? [];
  if (parsed === undefined || more.length > 0 || !parsed.ca) return null;
  try {
    const key = createPrivateKey(privateKey);
    const isP256 = key.asymmetricKeyDetails?.namedCurve === "prime256v1";
    return isP256 && parsed.checkPrivateKey(key) ? { certificate: parsed.toString(), privateKey } : null;
  } catch {
    return null; // the error may quote the key
  }
}
