import { isIPv4, isIPv6 } from "node:net";
import { StartError } from "../start-error.ts";

/** Where the xDS server listens. A TCP port of 0 takes any free one. */
export type ListenAddress =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number };

/**
 * Reads `HOST:PORT` or `unix:/path`. The stream carries key sets, which can hold HMAC secrets, so without TLS
 * nothing but a loopback address or a unix socket is accepted.
 * @param security of the connections
 * @throws StartError `BAD_OPTION`
 */
export function parseListenAddress(text: string, security: "plain" | "tls" = "plain"): ListenAddress {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    if (!path.startsWith("/")) throw badAddress(text, "the path of a unix socket must be absolute");
    return { kind: "unix", path };
  }
  const match = /^(\[[^\]]+\]|[^:]+):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65535) throw badAddress(text, "expected HOST:PORT or unix:/path");
  // Named here rather than resolved: what the name resolves to is not ours to trust.
  const host = match[1] === "localhost" ? "127.0.0.1" : match[1].replace(/^\[|\]$/g, "");
  if (security === "plain" && !isLoopback(host)) {
    throw badAddress(text, "without TLS only a loopback address (127.0.0.1, ::1) or a unix socket is allowed");
  }
  return { kind: "tcp", host, port };
}

/** The address in the form that gRPC clients take. */
export function formatListenAddress(address: ListenAddress): string {
  if (address.kind === "unix") return `unix:${address.path}`;
  return `${isIPv6(address.host) ? `[${address.host}]` : address.host}:${address.port}`;
}

function isLoopback(host: string): boolean {
  return host === "::1" || (isIPv4(host) && host.startsWith("127."));
}

function badAddress(text: string, reason: string): StartError {
  return new StartError("BAD_OPTION", `xDS address ${JSON.stringify(text)}: ${reason}`);
}
