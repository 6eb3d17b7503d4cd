import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isJsonObject, parseJson } from "./json.ts";
import { parseJwt } from "./jwt.ts";
import { KnownJwt } from "./known-jwt.ts";
import { token } from "./testdata/jwt-rule.ts";

function known(text: string): KnownJwt {
  const jwt = KnownJwt.parse(text);
  if (typeof jwt === "string") throw new Error(jwt);
  return jwt;
}

describe("a token that is known", () => {
  it("says of every claim what the whole token says, at first and later", () => {
    const names = fc.constantFrom("sub", "a", "groups", "__proto__", "none");
    const claims = fc.dictionary(names, fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: "binary" })));
    fc.assert(
      fc.property(claims, fc.array(names, { maxLength: 8 }), (given, asked) => {
        const text = token({ iss: "i", ...given, sub: "größe" });
        const whole = parseJson(Buffer.from(text.split(".")[1] ?? "", "base64url").toString());
        // What JSON can't say twice the same (lone surrogates) is no token.
        if (!isJsonObject(whole) || typeof parseJwt(text) === "string") return;
        const first = known(text);
        for (const name of asked) expect(first.get(name)).toEqual(whole.get(name));
        const later = new KnownJwt(first.summary, text);
        for (const name of [...asked, "sub", "a"]) expect(later.get(name)).toEqual(whole.get(name));
      }),
    );
  });

  it("is kept with the claims that were asked for, and without the others", () => {
    const text = token({ iss: "i", sub: "s", note: "x".repeat(100) });
    const jwt = known(text);
    jwt.get("sub");
    jwt.get("absent");
    expect(jwt.summary).toEqual({
      issuer: "i",
      audiences: [],
      notBeforeSec: undefined,
      expiresSec: undefined,
      asked: new Map([
        ["sub", "s"],
        ["absent", undefined],
      ]),
      bytes: text.length,
    });
  });

  it("still has all that a signature is about", () => {
    const text = token({ iss: "i" }, { alg: "ES256", kid: "k" });
    const { alg, kid, signingInput, payloadSegment } = new KnownJwt(known(text).summary, text);
    expect([alg, kid, signingInput, payloadSegment]).toEqual([
      "ES256",
      "k",
      text.slice(0, text.lastIndexOf(".")),
      text.split(".")[1],
    ]);
  });
});
