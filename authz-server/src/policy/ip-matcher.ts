import type { CidrRange } from "@gatehouse/protos";

/** 4 bytes of an IPv4 address, 16 of an IPv6 address. */
export type IpBytes = readonly number[];

/** Tells whether an address (text) lies in one of the ranges; a text that is no address lies in none. */
export function compileIpRanges(ranges: readonly CidrRange[]): (address: string) => boolean {
  const networks = ranges.map(({ address, prefixLength }) => ({ bytes: parseIp(address), prefixLength }));
  return (address) => {
    const bytes = parseOnce(address);
    if (bytes === undefined) return false;
    return networks.some((network) => network.bytes !== undefined && isIn(bytes, network.bytes, network.prefixLength));
  };
}

let latest: { readonly text: string; readonly bytes: IpBytes | undefined } = { text: "", bytes: undefined };

/** Many rules ask about the address of one request. */
function parseOnce(text: string): IpBytes | undefined {
  if (text !== latest.text) latest = { text, bytes: parseIp(text) };
  return latest.bytes;
}

/** Parses an address; an IPv4 address inside IPv6 (`::ffff:a.b.c.d`) is the IPv4 address. */
export function parseIp(text: string): IpBytes | undefined {
  return text.includes(":") ? parseIpv6(text) : parseIpv4(text);
}

function isIn(address: IpBytes, network: IpBytes, prefixLength: number): boolean {
  if (address.length !== network.length) return false;
  const whole = prefixLength >> 3;
  for (let i = 0; i < whole; i++) if (address[i] !== network[i]) return false;
  const mask = (0xff00 >> (prefixLength & 7)) & 0xff;
  return ((address[whole] ?? 0) & mask) === ((network[whole] ?? 0) & mask);
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
  const bytes = [...head, ...new Array<number>(missing).fill(0), ...tail];
  return isMapped(bytes) ? bytes.slice(12) : bytes;
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

function isMapped(bytes: readonly number[]): boolean {
  return (
    bytes.length === 16 && bytes[10] === 0xff && bytes[11] === 0xff && bytes.slice(0, 10).every((byte) => byte === 0)
  );
}
