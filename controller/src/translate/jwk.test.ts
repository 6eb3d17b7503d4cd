import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, expect, test } from "vitest";
import { holdsSecret, type JsonObject, readJwk } from "./jwk.ts";

/** A fresh key of each kind, private members included. */
const privateKeys: readonly (readonly [string, JsonObject])[] = [
  ["RSA", exported(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey)],
  ["P-256", exported(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey)],
  ["P-384", exported(generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey)],
  ["P-521", exported(generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey)],
  ["Ed25519", exported(generateKeyPairSync("ed25519").privateKey)],
];

function exported(key: KeyObject): JsonObject {
  return { ...key.export({ format: "jwk" }), kid: "k" };
}

describe.each(privateKeys)("%s", (_name, document) => {
  test("the public half is taken, and can be imported", () => {
    const { value } = readJwk(document);
    expect(createPublicKey({ key: { ...value }, format: "jwk" }).type).toBe("public");
    expect(value).toMatchObject({ kty: document["kty"], kid: "k", alg: "" });
  });

  test("no private member is copied", () => {
    expect(holdsSecret(document)).toBe(true);
    const { value } = readJwk(document);
    expect(Object.keys(value ?? {}).filter((name) => ["d", "p", "q", "dp", "dq", "qi"].includes(name))).toEqual([]);
  });
});

test("an RSA key below 2048 bits is refused", () => {
  const { publicKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const document: JsonObject = { ...publicKey.export({ format: "jwk" }) };
  expect(readJwk(document).problem).toBe("RSA key of 1024 bits: 2048 to 16384 are accepted");
});

test("a coordinate without its leading zeros is padded", () => {
  const document = { kty: "EC", crv: "P-256", ...pointWithShortX() };
  const { value } = readJwk(document);
  expect(value).toMatchObject({ crv: "P-256" });
  expect(value?.kty === "EC" && Buffer.from(value.x, "base64url").length).toBe(32);
});

/** One fresh key in 256 has such an x. */
function pointWithShortX(): { readonly x: string; readonly y: string } {
  for (;;) {
    const { x = "", y = "" } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
    const bytes = Buffer.from(x, "base64url");
    if (bytes[0] === 0) return { x: bytes.subarray(1).toString("base64url"), y };
  }
}
