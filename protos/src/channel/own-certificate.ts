import type { X509Certificate } from "node:crypto";
import { type PeerRule, whyNotPeer } from "./peer-identity.ts";

/**
 * Why `tls.crt` is not one to show to others: they would refuse it, and say little about it.
 * @param rule what they look for; null: its time only
 * @returns what is wrong and what to do, as one line
 */
export function whyNotToShow(certificate: X509Certificate, rule: PeerRule | null, nowMs: number): string | null {
  const { validFromDate, validToDate, ca } = certificate;
  if (nowMs >= validToDate.getTime()) return `tls.crt expired at ${validToDate.toISOString()}; renew it`;
  if (nowMs < validFromDate.getTime()) {
    return `tls.crt is not valid before ${validFromDate.toISOString()}; wait, or set the clock of this machine`;
  }
  switch (rule === null ? null : whyNotPeer(certificate, rule)) {
    case null:
      return null;
    case "wrong_usage":
      if (ca) return "tls.crt is the certificate of an authority; put one there that it issued";
      return `tls.crt is not made for "${rule?.usage} auth"; issue it with that extended key usage`;
    case "wrong_name":
      return `tls.crt is for ${namesOf(certificate)}; issue it for the DNS name ${rule?.name}, letter by letter`;
  }
}

/** The subject alternative names, as a log may show them. */
export function namesOf({ subjectAltName = "no DNS name" }: X509Certificate): string {
  return subjectAltName.slice(0, MAX_SHOWN);
}

/** A certificate may have thousands of names. */
const MAX_SHOWN = 300;
