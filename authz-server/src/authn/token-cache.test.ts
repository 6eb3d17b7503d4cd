import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { JwtSummary } from "./known-jwt.ts";
import { TokenCache } from "./token-cache.ts";

function jwtOf(bytes: number): JwtSummary {
  return { issuer: "", audiences: [], notBeforeSec: undefined, expiresSec: undefined, asked: new Map(), bytes };
}

function filled(limits: { readonly entries: number; readonly bytes: number }, sizes: readonly number[]): TokenCache {
  const cache = new TokenCache(limits, () => undefined);
  for (const [i, bytes] of sizes.entries()) cache.add(String(i), { jwt: jwtOf(bytes), keySetId: 1 });
  return cache;
}

function sumOf(tokens: readonly { readonly bytes: number }[]): number {
  return tokens.reduce((sum, { bytes }) => sum + bytes, 0);
}

describe("TokenCache", () => {
  it("drops the least recently used entry past its number of entries", () => {
    const cache = filled({ entries: 2, bytes: 1000 }, [1, 1]);
    cache.get("0");
    cache.add("2", { jwt: jwtOf(1), keySetId: 1 });
    expect([cache.get("0"), cache.get("1"), cache.get("2")].map((entry) => entry !== undefined)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("holds what a list in order of use would hold, after any looks and additions", () => {
    const steps = fc.array(
      fc.record({ key: fc.nat(7).map(String), isLook: fc.boolean(), bytes: fc.integer({ min: 1, max: 5 }) }),
    );
    fc.assert(
      fc.property(steps, (all) => {
        const cache = filled({ entries: 4, bytes: 12 }, []);
        let used: { readonly key: string; readonly bytes: number }[] = [];
        for (const { key, isLook, bytes } of all) {
          const known = used.find((one) => one.key === key);
          used = used.filter((one) => one !== known);
          if (isLook) {
            expect(cache.get(key)?.jwt.bytes).toBe(known?.bytes);
            if (known !== undefined) used.push(known);
            continue;
          }
          cache.add(key, { jwt: jwtOf(bytes), keySetId: 1 });
          used.push({ key, bytes });
          while (used.length > 4 || sumOf(used) > 12) used.shift();
          expect(cache.size).toEqual({ entries: used.length, bytes: sumOf(used) });
        }
      }),
    );
  });

  it("never holds more bytes than it may, whatever comes", () => {
    const cache = filled({ entries: 1000, bytes: 100 }, [60, 60, 10, 30, 500, 99]);
    expect(cache.size).toEqual({ entries: 1, bytes: 99 });
  });

  it("does not keep a token that alone is too large", () => {
    expect(filled({ entries: 10, bytes: 100 }, [101]).size).toEqual({ entries: 0, bytes: 0 });
  });

  it("counts a token that is added again once", () => {
    const cache = filled({ entries: 10, bytes: 100 }, []);
    cache.add("a", { jwt: jwtOf(40), keySetId: 1 });
    cache.add("a", { jwt: jwtOf(40), keySetId: 2 });
    expect(cache.size).toEqual({ entries: 1, bytes: 40 });
    expect(cache.get("a")?.keySetId).toBe(2);
  });

  it("holds nothing when it is switched off, and tells of every look", () => {
    const looks: string[] = [];
    const cache = new TokenCache({ entries: 0, bytes: 100 }, (result) => looks.push(result));
    cache.add("a", { jwt: jwtOf(1), keySetId: 1 });
    cache.get("a");
    expect(looks).toEqual(["miss"]);
  });
});
