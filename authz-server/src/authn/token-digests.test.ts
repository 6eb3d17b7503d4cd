import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { TokenDigests } from "./token-digests.ts";

const expected = (text: string): string => createHash("sha256").update(text, "utf8").digest("binary");

test("says of every text what SHA-256 does, however often it is asked, and whatever texts end alike", () => {
  const tail = "t".repeat(40);
  const characters = fc.constantFrom("a", "b", "é", "á", "\u0141", "A", "\ud800");
  const text = fc.tuple(fc.string({ unit: characters, maxLength: 3 }), fc.constantFrom("", "x", tail));
  fc.assert(
    fc.property(fc.array(text, { minLength: 1, maxLength: 8 }), (parts) => {
      const digests = new TokenDigests();
      for (let round = 0; round < 50; round++) {
        for (const part of parts) expect(digests.of(part.join(""))).toBe(expected(part.join("")));
      }
    }),
    { numRuns: 30 },
  );
});

test("goes on saying so when there are more tokens than are kept", () => {
  const digests = new TokenDigests();
  for (let n = 0; n < 10_000; n++) digests.of(`token-${n}`);
  for (const n of [0, 15, 9999]) expect(digests.of(`token-${n}`)).toBe(expected(`token-${n}`));
});
