import { isIpv4, isIpv6 } from "./ip-range.ts";

/** Makes a short name whole, `web` to `web.foo.svc.cluster.local`. Only names without a dot or a star are short. */
export function qualifyHost(host: string, namespace: string, dnsSuffix: string): string {
  return host === "" || /[.*:]/.test(host) ? host : `${host}.${namespace}.${dnsSuffix}`;
}

const LABEL = "[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?";
const WILDCARD_LABEL = new RegExp(`^(?:\\*|(?:\\*|\\*-)?${LABEL})$`);
const PLAIN_LABEL = new RegExp(`^${LABEL}$`);

/** Why a host of a VirtualService is not valid, or null. The first label may be or start with a star; addresses are hosts too. */
export function checkWildcardHost(host: string): string | null {
  if (isIpv4(host) || isIpv6(host)) return null;
  if (host === "") return "empty domain name not allowed";
  if (host.length > 255) return "domain name too long (max 255 chars)";
  const [first = "", ...rest] = host.replace(/\.$/, "").split(".");
  const isLabel = (label: string) => label.length <= 63 && PLAIN_LABEL.test(label);
  const bad = first.length <= 63 && WILDCARD_LABEL.test(first) ? rest.find((label) => !isLabel(label)) : first;
  return bad === undefined ? null : `domain name "${host}" invalid (label "${bad}" invalid)`;
}

/** True when every name that one of the two stands for is covered by the other. @param a, b may start with a star */
export function hostsOverlap(a: string, b: string): boolean {
  return covers(a, b) || covers(b, a);
}

function covers(wide: string, narrow: string): boolean {
  if (!wide.startsWith("*")) return wide === narrow;
  const suffix = wide.slice(1);
  return narrow.startsWith("*") ? narrow.slice(1).endsWith(suffix) : narrow.endsWith(suffix);
}
