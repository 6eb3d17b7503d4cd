import { isIP } from "node:net";
import fc from "fast-check";
import { expect, test } from "vitest";
import { isIpv4, isIpv6, parseIpRange } from "./ip-range.ts";

const nearAddress = fc.oneof(
  fc.ipV4(),
  fc.ipV6(),
  fc.string({ unit: fc.constantFrom(":", "::", "0", "f", "12ab", ".", "1", "255", "256", "01"), maxLength: 12 }),
);

test("addresses are those that Node knows, zones aside", () => {
  fc.assert(
    fc.property(nearAddress, (text) => {
      expect(isIpv4(text)).toBe(isIP(text) === 4);
      expect(isIpv6(text)).toBe(isIP(text) === 6);
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["10.0.0.1", 32],
  ["10.1.2.3/8", 8],
  ["0.0.0.0/0", 0],
  ["::1", 128],
  ["2001:db8::/32", 32],
  ["::ffff:1.2.3.4/128", 128],
])("%s is a range of prefix length %i", (text, prefixLength) => {
  const address = text.split("/")[0];
  expect(parseIpRange(text)).toEqual({ value: { address, prefixLength }, problem: null });
});

test.each([
  "",
  "10.0.0",
  "10.0.0.1/33",
  "10.0.0.1/",
  "10.0.0.1/08",
  "10.0.0.1/8/8",
  "::1/129",
  "fe80::1%eth0",
  "010.0.0.1",
])("%j is refused", (text) => {
  expect(parseIpRange(text).value).toBeNull();
});
