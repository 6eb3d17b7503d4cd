import { X509Certificate } from "node:crypto";
import type { DetailedPeerCertificate, PeerCertificate } from "node:tls";

/** Who the other side has to be. */
export interface PeerRule {
  /** DNS name that one of the certificate's subject alternative names must be, letter by letter; null: any name. */
  readonly name: string | null;
  /** What the certificate must be made for. */
  readonly usage: "client" | "server";
}

/** Why a certificate is not the one of the peer that is expected. */
export type IdentityRefusal = "wrong_name" | "wrong_usage";

const USAGES = { server: "1.3.6.1.5.5.7.3.1", client: "1.3.6.1.5.5.7.3.2" } as const;

/**
 * What OpenSSL leaves open once the chain is good: the name and the purpose. There are no wildcards, no common name, no folding of
 * case; a certificate that has an odd name (Node quotes what could be mistaken for a separator, NUL among it) has none.
 * @see CVE-2021-44532, CVE-2020-15104
 */
export function whyNotPeer(certificate: X509Certificate, rule: PeerRule): IdentityRefusal | null {
  // Without the extension a certificate is good for everything, which is more than ours are.
  const usages: readonly string[] | undefined = certificate.keyUsage;
  if (certificate.ca || usages?.includes(USAGES[rule.usage]) !== true) return "wrong_usage";
  if (rule.name === null) return null;
  const names = certificate.subjectAltName ?? "";
  if (names.includes('"')) return "wrong_name";
  return names.split(", ").includes(`DNS:${rule.name}`) ? null : "wrong_name";
}

/** The certificates that Node verified, from the peer's own to that of an authority. */
export function toChain(peer: PeerCertificate | DetailedPeerCertificate): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<string>();
  // Without a certificate Node gives an empty object; the last one is its own issuer, or has none.
  let next: Partial<DetailedPeerCertificate> | undefined = peer;
  while (next?.raw !== undefined) {
    const certificate = new X509Certificate(next.raw);
    if (seen.has(certificate.fingerprint512)) break;
    seen.add(certificate.fingerprint512);
    chain.push(certificate);
    next = next.issuerCertificate;
  }
  return chain;
}

/**
 * Looks again at a peer that was verified when it connected.
 * @param authorities those that count now
 * @returns null while it may stay
 */
export function whyNoLongerTrusted(
  chain: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  nowMs: number,
): "expired" | "untrusted" | null {
  if (chain.some(({ validToDate }) => validToDate.getTime() <= nowMs)) return "expired";
  for (const [index, certificate] of chain.entries()) {
    const below = chain[index - 1];
    // Node links a chain by names; here signatures count.
    if (below !== undefined && !below.verify(certificate.publicKey)) return "untrusted";
    const isAnchored = authorities.some(
      (authority) =>
        authority.raw.equals(certificate.raw) ||
        (certificate.checkIssued(authority) && certificate.verify(authority.publicKey)),
    );
    if (isAnchored) return null;
  }
  return "untrusted";
}
