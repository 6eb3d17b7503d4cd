import { describe, expect, it } from "vitest";
import { compileIpRanges, parseIp } from "./ip-matcher.ts";

describe("an address lies in a range", () => {
  it.each([
    ["10.1.2.3", "10.1.2.3", 32, true],
    ["10.1.2.4", "10.1.2.3", 32, false],
    ["10.1.255.255", "10.1.2.3", 16, true],
    ["10.2.0.0", "10.1.2.3", 16, false],
    ["192.168.5.233", "192.168.4.0", 23, true],
    ["192.168.6.0", "192.168.4.0", 23, false],
    ["1.2.3.4", "0.0.0.0", 0, true],
    ["::1", "0.0.0.0", 0, false],
    ["::1", "::1", 128, true],
    ["::2", "::1", 128, false],
    ["2001:db8:ffff::1", "2001:db8::", 32, true],
    ["2001:db9::1", "2001:db8::", 32, false],
    ["1.2.3.4", "::", 0, false],
    ["::ffff:10.1.2.3", "10.0.0.0", 8, false],
    ["::ffff:10.1.2.3", "::ffff:0:0", 96, true],
    ["10.1.2.3", "::ffff:10.1.2.3", 128, false],
    ["fe80::1%2", "fe80::", 10, true],
    ["fe80::1%2", "fe80::1", 128, true],
    ["2001:db8::1%12", "fe80::", 10, false],
    ["not-an-address", "0.0.0.0", 0, false],
    ["", "0.0.0.0", 0, false],
  ])("%j in %s/%i: %s", (text, address, prefixLength, expected) => {
    expect(compileIpRanges([{ address, prefixLength }], false)(text)).toBe(expected);
  });

  it.each([
    ["::ffff:10.1.2.3", "10.0.0.0", 8, true],
    ["::ffff:a01:203", "10.1.2.3", 32, true],
    ["::ffff:11.1.2.3", "10.0.0.0", 8, false],
    ["::ffff:10.1.2.3", "::ffff:10.1.0.0", 112, true],
    ["10.1.2.3", "::ffff:10.1.0.0", 112, true],
    ["10.2.2.3", "::ffff:10.1.0.0", 112, false],
    ["10.1.2.3", "::", 0, false],
    ["::a01:203", "10.1.2.3", 32, false],
  ])("%j in %s/%i, an IPv4 address inside IPv6 being both: %s", (text, address, prefixLength, expected) => {
    expect(compileIpRanges([{ address, prefixLength }], true)(text)).toBe(expected);
  });

  it("or in one of several", () => {
    const ranges = [
      { address: "10.0.0.0", prefixLength: 8 },
      { address: "fe80::", prefixLength: 10 },
    ];
    const isIn = compileIpRanges(ranges, false);
    expect(["10.9.9.9", "fe80::1", "11.0.0.1"].map(isIn)).toEqual([true, true, false]);
  });
});

describe("an address", () => {
  it.each([
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    "1:2",
    ":::",
    "1::2::3",
    "12345::",
    "::1.2.3",
    "::%eth0",
    "::%",
    "10.0.0.1%2",
  ])("is not %j", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it("may be written in several ways", () => {
    expect(parseIp("0:0:0:0:0:0:0:1")).toEqual(parseIp("::1"));
    expect(parseIp("2001:DB8::a")).toEqual(parseIp("2001:db8:0::000a"));
    expect(parseIp("::ffff:1.2.3.4")).toEqual([1, 2, 3, 4]);
  });
});
