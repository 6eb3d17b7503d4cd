import fc from "fast-check";
import { expect, test } from "vitest";
import { decodeBase64, decodeBase64Url, decodeUtf8, encodeBase64Url } from "./base64.ts";

const bytes = fc.uint8Array({ minLength: 1, maxLength: 70 });

test("base64url agrees with Node's both ways", () => {
  fc.assert(
    fc.property(bytes, (array) => {
      const text = Buffer.from(array).toString("base64url");
      expect(encodeBase64Url([...array])).toBe(text);
      expect(decodeBase64Url(text)).toEqual([...array]);
    }),
  );
});

test("standard base64 with padding decodes", () => {
  fc.assert(
    fc.property(bytes, (array) => {
      expect(decodeBase64(Buffer.from(array).toString("base64"))).toEqual([...array]);
    }),
  );
});

test.each(["", "=", "A", "AAAAA", "AA+A", "AA A", "AA\n", "A=AA"])("%j is not base64url", (text) => {
  expect(decodeBase64Url(text)).toBeNull();
});

test("UTF-8 decodes, anything else is null", () => {
  expect(decodeUtf8([...Buffer.from("héllo %41 ☃")])).toBe("héllo %41 ☃");
  expect(decodeUtf8([0xff])).toBeNull();
});
