import type { RouteTable, VirtualHost } from "./route-table.ts";

/** The more specific of two host patterns that have hosts in common; undefined when they have none. */
export function intersectHosts(a: string, b: string): string | undefined {
  if (covers(a, b)) return b;
  return covers(b, a) ? a : undefined;
}

/**
 * Finds the one virtual host of an authority: exact, then the longest `*.suffix`, then the longest `prefix.*`, then `*`.
 * @param authority lower case; its port is ignored
 */
export function findVirtualHost({ virtualHosts }: RouteTable, authority: string): VirtualHost | undefined {
  const host = withoutPort(authority);
  return virtualHosts.get(host) ?? longestWildcard(virtualHosts, host) ?? virtualHosts.get("*");
}

// A longer name is no host of anybody's; looking for its wildcards would only cost time.
const MAX_DNS_NAME = 255;

function covers(pattern: string, host: string): boolean {
  if (pattern === host || pattern === "*") return true;
  if (pattern.startsWith("*")) return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
  return pattern.endsWith("*") && host.startsWith(pattern.slice(0, -1)) && host.length > pattern.length - 1;
}

function longestWildcard(hosts: ReadonlyMap<string, VirtualHost>, host: string): VirtualHost | undefined {
  if (host.length > MAX_DNS_NAME) return undefined;
  // At least one character must stand for the star.
  for (let at = 1; at < host.length; at++) {
    const found = hosts.get(`*${host.slice(at)}`);
    if (found !== undefined) return found;
  }
  for (let end = host.length - 1; end > 0; end--) {
    const found = hosts.get(`${host.slice(0, end)}*`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(":");
  if (colon < 0 || authority.indexOf("]", colon) >= 0) return authority;
  return /^\d*$/.test(authority.slice(colon + 1)) ? authority.slice(0, colon) : authority;
}
