import type { TLSSocket } from "node:tls";
import type { ChannelLog } from "./credentials-source.ts";
import type { IdentityRefusal } from "./peer-identity.ts";

/** Why a connection was refused or cut; a closed set, good for a label. */
export type Refusal =
  | IdentityRefusal
  /** We have no certificate yet. */
  | "not_ready"
  /** The peer shows none. */
  | "no_certificate"
  | "untrusted"
  | "expired"
  /** Not TLS, an old version of it, or not HTTP/2. */
  | "protocol"
  /** The handshake took too long. */
  | "timeout"
  /** More handshakes at once than there may be. */
  | "flood"
  /** The peer left before it said who it is, as probes do. */
  | "aborted";

/** Counts a refusal. */
export type CountRefusal = (reason: Refusal) => void;

/** What a failed handshake means. */
export function toRefusal(error: NodeJS.ErrnoException, socket: TLSSocket): Refusal {
  // Declared as an Error, but Node sets the code of the verification.
  const verification: unknown = socket.authorizationError;
  switch (typeof verification === "string" ? verification : error.code) {
    case "CERT_HAS_EXPIRED":
    case "CERT_NOT_YET_VALID":
      return "expired";
    case "INVALID_PURPOSE":
      return "wrong_usage";
    case "ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE":
      return "no_certificate";
    case "ERR_TLS_HANDSHAKE_TIMEOUT":
      return "timeout";
    case "ECONNRESET":
    case "EPIPE":
      return "aborted";
    default:
      return typeof verification === "string" ? "untrusted" : "protocol";
  }
}

/** Tells of a refusal. @param detail further fields for the log */
export type ReportRefusal = (reason: Refusal, peer: string | undefined, detail?: object) => void;

/** Counts each refusal, and logs one of each reason in ten seconds: who floods the port shall not flood the log. */
export function createRefusalReport(count: CountRefusal, log: ChannelLog): ReportRefusal {
  const reported = new Map<Refusal, { sinceMs: number; unreported: number }>();
  return (reason, peer, detail = {}) => {
    count(reason);
    if (reason === "aborted") return;
    const nowMs = performance.now();
    const last = reported.get(reason);
    if (last !== undefined && nowMs - last.sinceMs < LOG_INTERVAL_MS) {
      last.unreported += 1;
      return;
    }
    reported.set(reason, { sinceMs: nowMs, unreported: 0 });
    log.warn({ reason, peer, ...detail, unreported: last?.unreported ?? 0 }, "connection refused");
  };
}

const LOG_INTERVAL_MS = 10_000;
