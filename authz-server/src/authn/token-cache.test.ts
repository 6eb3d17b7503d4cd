import { describe, expect, it } from "vitest";
import type { Jwt } from "./jwt.ts";
import { TokenCache } from "./token-cache.ts";

function jwtOf(bytes: number): Jwt {
  return {
    alg: "RS256",
    kid: "",
    issuer: "",
    audiences: [],
    notBeforeSec: undefined,
    expiresSec: undefined,
    payload: new Map(),
    payloadSegment: "",
    signingInput: "x".repeat(bytes),
    signature: new Uint8Array(),
  };
}

function filled(limits: { readonly entries: number; readonly bytes: number }, sizes: readonly number[]): TokenCache {
  const cache = new TokenCache(limits, () => undefined);
  for (const [i, bytes] of sizes.entries()) cache.add(String(i), { jwt: jwtOf(bytes), keySetId: 1 });
  return cache;
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
