import type { CidrRange } from "@gatehouse/protos";

/** 4 bytes of an IPv4 address, 16 of an IPv6 address. */
export type IpBytes = readonly number[];

/**
 * Tells whether an address (text) lies in one of the ranges; a text that is no address lies in none.
 * To Envoy an IPv4 address inside IPv6 (`::ffff:a.b.c.d`) is no IPv4 address.
 * @param wide it is both, so that nobody slips past a DENY by another spelling
 */
export function compileIpRanges(ranges: readonly CidrRange[], wide: boolean): (address: string) => boolean {
  const networks = ranges.flatMap((range) => networksOf(range, wide));
  return (text) => {
    const { whole, ipv4 } = parseOnce(text);
    if (whole === undefined) return false;
    return networks.some((network) => isIn(whole, network) || (wide && ipv4 !== undefined && isIn(ipv4, network)));
  };
}

interface Network {
  readonly bytes: IpBytes;
  readonly prefixLength: number;
}

function networksOf({ address, prefixLength }: CidrRange, wide: boolean): readonly Network[] {
  const { whole, ipv4 } = readAddress(address);
  if (whole === undefined) return [];
  const inside = wide && ipv4 !== undefined && prefixLength >= MAPPED_BITS;
  return [
    { bytes: whole, prefixLength },
    ...(inside ? [{ bytes: ipv4, prefixLength: prefixLength - MAPPED_BITS }] : []),
  ];
}

/** What stands before the IPv4 address in `::ffff:a.b.c.d`. */
const MAPPED_BITS = 96;

/** All bytes of an address, and those of the IPv4 address that an IPv6 address holds. */
interface AddressBytes {
  readonly whole: IpBytes | undefined;
  readonly ipv4: IpBytes | undefined;
}

let latest: { readonly text: string; readonly bytes: AddressBytes } = { text: "", bytes: readAddress("") };

/** Many rules ask about the address of one request. */
function parseOnce(text: string): AddressBytes {
  if (text !== latest.text) latest = { text, bytes: readAddress(text) };
  return latest.bytes;
}

/** Parses an address; an IPv4 address inside IPv6 (`::ffff:a.b.c.d`) is the IPv4 address. */
export function parseIp(text: string): IpBytes | undefined {
  const { whole, ipv4 } = readAddress(text);
  return ipv4 ?? whole;
}

function readAddress(text: string): AddressBytes {
  if (!text.includes(":")) return { whole: parseIpv4(text), ipv4: undefined };
  const whole = parseIpv6(text.replace(SCOPE, ""));
  return { whole, ipv4: whole !== undefined && isMapped(whole) ? whole.slice(12) : undefined };
}

/** Envoy says by number to which interface a link-local address belongs (`fe80::1%2`). Ranges are about the address. */
const SCOPE = /%\d+$/;

function isIn(address: IpBytes, { bytes, prefixLength }: Network): boolean {
  if (address.length !== bytes.length) return false;
  const whole = prefixLength >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== bytes[i]) return false;
  const mask = (0xff00 >> (prefixLength & 7)) & 0xff;
  return ((address[whole] ?? 0) & mask) === ((bytes[whole] ?? 0) & mask);
}

function parseIpv4(text: string): IpBytes | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? bytes : undefined;
}

function parseIpv6(text: string): IpBytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 1 ? [] : parseGroups(halves[1] ?? "", true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 16 - head.length - tail.length;
  if (halves.length === 1 ? missing !== 0 : missing < 2) return undefined;
  return [...head, ...new Array<number>(missing).fill(0), ...tail];
}

function parseGroups(text: string, mayEndInIpv4: boolean): readonly number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const ipv4 = mayEndInIpv4 && i === groups.length - 1 && group.includes(".") ? parseIpv4(group) : undefined;
    if (ipv4 !== undefined) bytes.push(...ipv4);
    else if (/^[0-9a-fA-F]{1,4}$/.test(group))
      bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return undefined;
  }
  return bytes;
}

function isMapped(bytes: IpBytes): boolean {
  return bytes[10] === 0xff && bytes[11] === 0xff && bytes.slice(0, 10).every((byte) => byte === 0);
}
