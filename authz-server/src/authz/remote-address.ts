import type { HttpRequest } from "../http-request.ts";
import { parseIp } from "../policy/ip-matcher.ts";

/**
 * The client's address as Istio's listeners work it out from x-forwarded-for; the direct peer where that header is missing, too short
 * or no address.
 * - gateway: Envoy has appended the peer, so the last entry must be it; N trusted proxies mean the N-th entry before it. N = 0: the peer.
 * - sidecar: the header is believed; the entry N from the right.
 * @param numTrustedProxies `gatewayTopology.numTrustedProxies`
 */
export function remoteAddress(request: HttpRequest, isGateway: boolean, numTrustedProxies: number): string {
  const peer = request.source.address;
  if (isGateway && numTrustedProxies === 0) return peer;
  const entries = forwardedFor(request);
  if (isGateway && entries.at(-1) !== peer && !LOOPBACK.has(peer)) return peer;
  const entry = entries.at(-1 - numTrustedProxies);
  return entry !== undefined && parseIp(entry) !== undefined ? entry : peer;
}

/** For these peers Envoy appends its own address in place of theirs. */
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

function forwardedFor(request: HttpRequest): readonly string[] {
  const values = request.headers.filter((line) => line.name === "x-forwarded-for").map((line) => line.value);
  return values.length === 0
    ? []
    : values
        .join(",")
        .split(",")
        .map((entry) => entry.trim());
}
