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
    ["::ffff:10.1.2.3", "10.0.0.0", 8, true],
    ["not-an-address", "0.0.0.0", 0, false],
    ["", "0.0.0.0", 0, false],
  ])("%j in %s/%i: %s", (text, address, prefixLength, expected) => {
    expect(compileIpRanges([{ address, prefixLength }])(text)).toBe(expected);
  });

  it("or in one of several", () => {
    const isIn = compileIpRanges([
      { address: "10.0.0.0", prefixLength: 8 },
      { address: "fe80::", prefixLength: 10 },
    ]);
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
  ])("is not %j", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });

  it("may be written in several ways", () => {
    expect(parseIp("0:0:0:0:0:0:0:1")).toEqual(parseIp("::1"));
    expect(parseIp("2001:DB8::a")).toEqual(parseIp("2001:db8:0::000a"));
    expect(parseIp("::ffff:1.2.3.4")).toEqual([1, 2, 3, 4]);
  });
});
