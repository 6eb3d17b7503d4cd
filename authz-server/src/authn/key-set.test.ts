import { describe, expect, it } from "vitest";
import { type Signed, verifySignature } from "./key-set.ts";
import { keySet, verificationKey } from "./testdata/jwt-rule.ts";

const signed: Signed = { alg: "RS256", signingInput: "a.b", signature: new Uint8Array(256) };
const right = verificationKey();
const wrong = verificationKey({ verifies: () => false });

describe("the key for a token", () => {
  it("is the first that verifies, of those with its kid or without one", () => {
    const good = { ...right, kid: "k" };
    expect(verifySignature(signed, "k", keySet({ ...right, kid: "other" }, { ...wrong, kid: "k" }, good))).toBe(good);
    expect(verifySignature(signed, "k", keySet(right))).toBe(right);
    expect(verifySignature(signed, "", keySet({ ...wrong, kid: "a" }, good))).toBe(good);
  });

  it.each([
    ["no key at all", "k", keySet(), "JwksKidAlgMismatch"],
    ["keys of other kids only", "k", keySet({ ...right, kid: "other" }), "JwksKidAlgMismatch"],
    ["a key of another alg", "", keySet({ ...right, alg: "RS512" }), "JwksKidAlgMismatch"],
    ["a key that does not verify", "", keySet(wrong), "JwtVerificationFail"],
    ["a key of another type", "", keySet({ ...right, algorithms: ["ES256"] }), "JwtVerificationFail"],
    [
      "an Ed25519 key, by the length alone",
      "",
      keySet({ ...right, algorithms: ["EdDSA"] }),
      "JwtEd25519SignatureWrongLength",
    ],
    ["a set without usable keys", "", { ...keySet(right), state: "noValidKeys" }, "JwksNoValidKeys"],
    ["a set that never arrived", "", { ...keySet(right), state: "unavailable" }, "JwtVerificationFail"],
  ] as const)("is not there: %s", (_, kid, keys, failure) => {
    expect(verifySignature(signed, kid, keys)).toBe(failure);
  });

  it("is not looked for among endlessly many", () => {
    let tried = 0;
    const slow = verificationKey({ verifies: () => ++tried < 0 });
    expect(verifySignature(signed, "", keySet(...Array.from({ length: 100 }, () => slow)))).toBe("JwtVerificationFail");
    expect(tried).toBe(16);
  });
});
