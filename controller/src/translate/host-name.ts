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

/**
 * Pairs of hosts of which one covers the other, as positions, the lower first; of equal hosts the first counts. Costs as much as the hosts
 * are long, however many there are.
 * @param hosts may start with a star
 */
export function findOverlaps(hosts: readonly string[]): readonly (readonly [number, number])[] {
  const positions = new Map<string, number>();
  for (const [i, host] of hosts.entries()) if (!positions.has(host)) positions.set(host, i);
  return hosts.flatMap((host, i) =>
    [...coveringNames(host)].flatMap((name) => {
      const other = positions.get(name) ?? i;
      return other === i ? [] : [[Math.min(i, other), Math.max(i, other)] as const];
    }),
  );
}

/** Everything that may stand for a host: its own name, and a star before each of its ends. */
function* coveringNames(host: string): Iterable<string> {
  if (!host.startsWith("*")) yield host;
  const name = host.replace(/^\*/, "");
  for (let at = 0; at <= name.length; at++) yield `*${name.slice(at)}`;
}
