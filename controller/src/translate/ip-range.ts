import type { CidrRange } from "@gatehouse/protos";
import { broken, type Parsed, parsed } from "./parsed.ts";

/** Reads an IPv4 or IPv6 address or CIDR range. Host bits may be set; zones (`%eth0`) and leading zeros are refused. */
export function parseIpRange(text: string): Parsed<CidrRange> {
  const [address = "", length, ...rest] = text.split("/");
  const bits = isIpv4(address) ? 32 : isIpv6(address) ? 128 : 0;
  if (length === undefined) {
    return bits === 0 ? broken(`bad IP address (${text})`) : parsed({ address, prefixLength: bits });
  }
  const isLength = /^(0|[1-9][0-9]{0,2})$/.test(length) && Number(length) <= bits;
  if (bits === 0 || !isLength || rest.length > 0) return broken(`bad CIDR range (${text}): invalid CIDR address`);
  return parsed({ address, prefixLength: Number(length) });
}

/** True for four decimal numbers of 0-255 without leading zeros. */
export function isIpv4(text: string): boolean {
  const parts = text.split(".");
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

/** True for an IPv6 address without zone; the last 32 bits may be written as IPv4. */
export function isIpv6(text: string): boolean {
  const [head = "", tail, ...rest] = text.split("::");
  if (rest.length > 0) return false;
  const headGroups = countGroups(head, tail === undefined);
  if (tail === undefined) return headGroups === 8;
  const tailGroups = countGroups(tail, true);
  return headGroups >= 0 && tailGroups >= 0 && headGroups + tailGroups <= 7;
}

/** @returns the number of 16-bit groups, or a number below any valid sum */
function countGroups(text: string, mayEndInIpv4: boolean): number {
  if (text === "") return 0;
  const groups = text.split(":");
  const last = groups.at(-1) ?? "";
  const hasIpv4 = mayEndInIpv4 && isIpv4(last);
  const hex = hasIpv4 ? groups.slice(0, -1) : groups;
  if (!hex.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return -100;
  return hex.length + (hasIpv4 ? 2 : 0);
}
