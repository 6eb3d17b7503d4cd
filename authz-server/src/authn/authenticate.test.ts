import { describe, expect, it } from "vitest";
import { authenticate } from "./authenticate.ts";
import { jwtRule, keySet, preparedRule, token, verificationKey } from "./testdata/jwt-rule.ts";
import { TokenCache } from "./token-cache.ts";

const NOW_SEC = 1_800_000_000;
const keys = keySet(verificationKey());

function authenticateBearer(text: string, fields: Parameters<typeof jwtRule>[0] = {}, cache = newCache()) {
  const source = { headers: [{ name: "authorization", value: `Bearer ${text}` }], query: "", requireExp: false };
  return authenticate([preparedRule(jwtRule(fields), keys)], source, { cache, now: () => NOW_SEC * 1000 + 999 });
}

function newCache(onLook: (result: "hit" | "miss") => void = () => undefined): TokenCache {
  return new TokenCache({ entries: 10, bytes: 10_000 }, onLook);
}

describe("the time of a token", () => {
  it.each([
    [{ exp: NOW_SEC - 60 }, "authenticated"],
    [{ exp: NOW_SEC - 61 }, "rejected"],
    [{ exp: NOW_SEC - 60 + 0.9 }, "authenticated"],
    [{ exp: NOW_SEC - 60.1 }, "rejected"],
    [{ nbf: NOW_SEC + 60 }, "authenticated"],
    [{ nbf: NOW_SEC + 61 }, "rejected"],
    [{ iat: NOW_SEC + 1_000 }, "authenticated"],
    [{ exp: 0 }, "rejected"],
    [{}, "authenticated"],
  ])("%j: %s", (claims, expected) => {
    expect(authenticateBearer(token({ iss: "i", ...claims })).kind).toBe(expected);
  });

  it("is looked at again when the token was verified before", () => {
    const looks: string[] = [];
    const cache = newCache((result) => looks.push(result));
    const text = token({ iss: "i", exp: NOW_SEC });
    expect(authenticateBearer(text, {}, cache).kind).toBe("authenticated");
    expect(authenticateBearer(text, {}, cache).kind).toBe("authenticated");
    const source = { headers: [{ name: "authorization", value: `Bearer ${text}` }], query: "", requireExp: false };
    const later = { cache, now: () => (NOW_SEC + 61) * 1000 };
    expect(authenticate([preparedRule(jwtRule(), keys)], source, later)).toMatchObject({ failure: "JwtExpired" });
    expect(looks).toEqual(["miss", "hit", "hit"]);
  });
});

describe("a rule", () => {
  it("takes the audiences that it names, without scheme and one slash", () => {
    const fields = { audiences: ["https://a.b/"] };
    const kinds = ["a.b", "http://a.b", "a.b//", "A.b"].map(
      (aud) => authenticateBearer(token({ iss: "i", aud }), fields).kind,
    );
    expect(kinds).toEqual(["authenticated", "authenticated", "rejected", "rejected"]);
  });

  it("verifies nothing when it could not be compiled", () => {
    expect(authenticateBearer(token({ iss: "i" }), { invalid: "broken" })).toMatchObject({
      failure: "JwtVerificationFail",
    });
  });

  it("gives headers and says where the token stood", () => {
    const outputClaimToHeaders = [{ header: "x-sub", claim: ["sub"] }];
    expect(authenticateBearer(token({ iss: "i", sub: "größe" }), { outputClaimToHeaders })).toMatchObject({
      outputHeaders: [{ name: "x-sub", value: Buffer.from("größe").toString("latin1") }],
      removeFrom: [{ kind: "header", name: "authorization" }],
    });
    expect(authenticateBearer(token({ iss: "i" }), { forwardOriginalToken: true })).toMatchObject({ removeFrom: [] });
  });

  it("that is required refuses a request without token", () => {
    const rules = [preparedRule(jwtRule({ presence: "REQUIRED" }), keys)];
    const io = { cache: newCache(), now: () => 0 };
    expect(authenticate(rules, { headers: [], query: "", requireExp: false }, io)).toMatchObject({
      failure: "JwtMissed",
    });
  });

  it("of another key set verifies a remembered token again", () => {
    const cache = newCache();
    const text = token({ iss: "i" });
    expect(authenticateBearer(text, {}, cache).kind).toBe("authenticated");
    const rogue = preparedRule(jwtRule(), keySet(verificationKey({ verifies: () => false })));
    const source = { headers: [{ name: "authorization", value: `Bearer ${text}` }], query: "", requireExp: false };
    expect(authenticate([rogue], source, { cache, now: () => 0 })).toMatchObject({ failure: "JwtVerificationFail" });
  });
});
