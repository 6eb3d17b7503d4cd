import { BlockList, isIP } from "node:net";

/** Which hosts keys may be fetched from. */
export interface GuardOptions {
  /** For a controller beside its issuer on one machine. */
  readonly allowLoopback: boolean;
  /** Networks that are refused besides those that always are: `10.0.0.0/8`. */
  readonly blockedCidrs: readonly string[];
  /** Nothing else may be fetched from, if there are any: `idp.example.com`, `*.example.com`. Never lifts a refusal. */
  readonly allowedHosts: readonly string[];
}

/** Refuses addresses that a URL in a policy must never make the controller talk to. */
export interface AddressGuard {
  /** @param hostname of a parsed URL, IPv6 in brackets @returns why it is refused, or null; a name may still resolve to a refused address */
  refusesHost(hostname: string): string | null;
  /** @param address resolved, without brackets */
  refusesAddress(address: string): string | null;
}

const METADATA_NAMES: ReadonlySet<string> = new Set([
  "metadata",
  "metadata.google.internal",
  "metadata.goog",
  "instance-data",
  "instance-data.ec2.internal",
]);

const ALWAYS: readonly string[] = [
  "0.0.0.0/8",
  "169.254.0.0/16", // link-local, with the metadata services of most clouds
  "168.63.129.16/32", // Azure
  "100.100.100.200/32", // Alibaba Cloud
  "192.0.0.192/32", // Oracle Cloud
  "224.0.0.0/4",
  "240.0.0.0/4",
  "::/128",
  "fe80::/10",
  "fd00:ec2::/32", // AWS
  "fd20:ce::254/128", // Google Cloud
  "ff00::/8",
];
const LOOPBACK: readonly string[] = ["127.0.0.0/8", "::1/128"];

/** Prefixes of IPv6 addresses that carry an IPv4 address to where it points: NAT64, also with a prefix of one's own (RFC 8215), and 6to4. */
const EMBEDDING: readonly { readonly prefix: RegExp; readonly at: number }[] = [
  { prefix: /^64:ff9b:(0:){4}/, at: 6 },
  { prefix: /^64:ff9b:1:/, at: 6 },
  { prefix: /^2002:/, at: 1 },
];

/** @throws RangeError naming the entry that is no network, or no host */
export function createAddressGuard({ allowLoopback, blockedCidrs, allowedHosts }: GuardOptions): AddressGuard {
  const always = toBlockList(ALWAYS);
  const loopback = toBlockList(LOOPBACK);
  const configured = toBlockList(blockedCidrs);
  const allowed = allowedHosts.map(toHostPattern);

  const refusesAddress = (address: string): string | null => {
    const family = isIP(address);
    if (family === 0) return "not an address";
    const type = family === 4 ? "ipv4" : "ipv6";
    const is = (list: BlockList) => list.check(address, type);
    if (is(always)) return "link-local, metadata or reserved address";
    if (!allowLoopback && is(loopback)) return "loopback address";
    if (is(configured)) return "address in a blocked network";
    const embedded = family === 6 ? embeddedIpv4(address) : null;
    return embedded === null ? null : refusesAddress(embedded);
  };
  return {
    refusesAddress,
    refusesHost(hostname) {
      const host = hostname
        .toLowerCase()
        .replace(/^\[(.*)\]$/, "$1")
        .replace(/\.$/, "");
      if (METADATA_NAMES.has(host)) return "metadata service";
      if (allowed.length > 0 && !allowed.some((pattern) => fits(host, pattern))) return "host is not an allowed one";
      if (isIP(host) !== 0) return refusesAddress(host);
      return !allowLoopback && /(^|\.)localhost$/.test(host) ? "loopback address" : null;
    },
  };
}

function fits(host: string, pattern: string): boolean {
  return pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern;
}

/** A URL, or a star elsewhere, would be the name of no host: nothing could be fetched, and nobody would know why. */
function toHostPattern(text: string): string {
  if (isIP(text) !== 0 || /^(\*\.)?[^\s*:/?#@]+$/.test(text)) return text.toLowerCase();
  throw new RangeError(`allowed hosts: "${text}" is not a host; expected e.g. idp.example.com or *.example.com`);
}

function toBlockList(cidrs: readonly string[]): BlockList {
  const list = new BlockList();
  for (const cidr of cidrs) {
    const [, address = "", prefix] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(cidr) ?? [];
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    if (family === 0 || bits > (family === 4 ? 32 : 128)) {
      throw new RangeError(`blocked networks: "${cidr}" is not a network; expected e.g. 10.0.0.0/8 or fd00::/8`);
    }
    list.addSubnet(address, bits, family === 4 ? "ipv4" : "ipv6");
  }
  return list;
}

/** The IPv4 address inside, for the kinds that a gateway would unpack. v4-mapped ones are seen through by `BlockList`. */
function embeddedIpv4(address: string): string | null {
  const groups = expand(address);
  const text = `${groups.map((group) => group.toString(16)).join(":")}:`;
  const kind = EMBEDDING.find(({ prefix }) => prefix.test(text));
  if (kind === undefined) return null;
  const [high = 0, low = 0] = groups.slice(kind.at, kind.at + 2);
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The eight groups of an IPv6 address. */
function expand(address: string): readonly number[] {
  const { hostname } = new URL(`http://[${address.replace(/%.*$/, "")}]/`); // dotted quads become groups
  const [head = "", tail] = hostname.slice(1, -1).split("::");
  const groupsOf = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [first, last] = [groupsOf(head), groupsOf(tail ?? "")];
  return tail === undefined ? first : [...first, ...new Array<number>(8 - first.length - last.length).fill(0), ...last];
}
