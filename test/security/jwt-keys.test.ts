import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer } from "node:net";
import { describe, expect } from "vitest";
import { publicJwks } from "../support/jwt.ts";
import { accepts, refuses, TRUSTED, trusting } from "./fixtures/forgeries.ts";
import { tokenStatuses } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { forge, forgeHmac, testJwk } from "./token-forge.ts";

const attack = attacksAt("token");

function jwks(...keys: readonly object[]): string {
  return JSON.stringify({ keys });
}

function publicMembers({ kty, n, e, crv, x, y }: Readonly<Record<string, string>>): object {
  return JSON.parse(JSON.stringify({ kty, n, e, crv, x, y }));
}

function jwkOf(key: KeyObject): object {
  return { ...createPublicKey(key).export({ format: "jwk" }) };
}

describe("which key may verify a token", () => {
  refuses(
    "D03",
    "C",
    { source: "CVE-2023-48223, CVE-2026-34950", title: "an HMAC under the text of the public RSA key" },
    () => {
      const jwk = testJwk("rsa-2048");
      const key = createPublicKey({ key: jwk, format: "jwk" });
      const pem = key.export({ type: "spki", format: "pem" }).toString();
      const texts = [
        ...[pem, pem.trim(), `\n${pem}`, key.export({ type: "pkcs1", format: "pem" }).toString()],
        ...[JSON.stringify(publicMembers(jwk)), TRUSTED, jwk["n"] ?? ""],
        key.export({ type: "spki", format: "der" }),
      ];
      return texts.flatMap((text) => [forgeHmac(text, { kid: "rsa-2048" }), forgeHmac(text, {})]);
    },
  );

  securityTest(
    attack("D04", "C", {
      source: "CVE-2026-22818",
      title: "another algorithm than the key's own, or another family where the key names none",
      outcome: "401; a key without alg verifies its own family only",
    }),
    async () => {
      const rsa = publicMembers(testJwk("rsa-2048"));
      const ps256 = forge({ alg: "PS256" });
      const rs512 = forge({ alg: "RS512" });
      const hs256 = forgeHmac("a".repeat(32), {});
      const es256 = forge({ key: "ec-p256", alg: "ES256", header: { alg: "ES256" } });
      expect(await tokenStatuses(await trusting(jwks({ ...rsa, alg: "RS256" })), [ps256, rs512])).toEqual([401, 401]);
      expect(await tokenStatuses(await trusting(jwks(rsa)), [ps256, rs512, hs256, es256])).toEqual([
        200, 200, 401, 401,
      ]);
    },
  );

  refuses("D05", "C", { source: "CVE-2018-0114", title: "a key that the token brings itself" }, () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const jwk = jwkOf(privateKey);
    return [{ jwk }, { jwk, kid: "rsa-2048" }, { x5c: ["MIIB"], kid: "rsa-2048" }, { jwk: [jwk] }].map((members) =>
      forge({ key: privateKey, header: { alg: "RS256", ...members } }),
    );
  });

  securityTest(
    attack("D06", "C", {
      source: "SSRF by jku and x5u",
      title: "a token that says where its keys are",
      outcome: "never fetched; the signature alone counts",
    }),
    async () => {
      let connections = 0;
      const sinkhole = createServer((socket) => {
        connections += 1;
        socket.destroy();
      });
      await new Promise<void>((resolve) => sinkhole.listen(0, "127.0.0.1", resolve));
      const address = sinkhole.address();
      const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}/keys`;
      const places = [{ jku: url }, { x5u: url }, { jku: url, kid: "unknown" }, { jku: "http://169.254.169.254/" }];
      const good = places.map((place) => forge({ header: { alg: "RS256", ...place, kid: "rsa-2048" } }));
      const bad = places.map((place) => forge({ key: "rogue-rsa-2048", header: { alg: "RS256", ...place } }));
      const harness = await trusting();
      expect(await tokenStatuses(harness, good)).toEqual(good.map(() => 200));
      expect(await tokenStatuses(harness, bad)).toEqual(bad.map(() => 401));
      await new Promise((resolve) => sinkhole.close(resolve));
      expect(connections).toBe(0);
    },
  );

  securityTest(
    attack("D07", "H", {
      source: "injection by kid",
      title: "a key id that is a path, SQL, a name of Object.prototype, or huge",
      outcome: "401; the id is in no log line",
    }),
    async () => {
      const harness = await trusting();
      const ids = [
        "../../dev/null",
        "' OR 1=1",
        "__proto__",
        "constructor",
        "toString",
        "k".repeat(8192),
        "\u0000",
        "\n{",
      ];
      const tokens = ids.map((kid) => forge({ header: { alg: "RS256", kid } }));
      expect(await tokenStatuses(harness, tokens)).toEqual(ids.map(() => 401));
      const log = harness.log().join("");
      expect(ids.filter((id) => id !== "\n{" && id !== "\u0000" && log.includes(id))).toEqual([]);
    },
  );

  refuses("D08", "M", { source: "type of kid", title: "a key id that is no text" }, () =>
    [1, {}, [], true, null, ["rsa-2048"]].map((kid) => forge({ header: { alg: "RS256", kid } })),
  );

  const twoKeys = jwks(publicMembers(testJwk("rsa-3072")), publicMembers(testJwk("rsa-2048")));
  accepts("D09", "H", { source: "parity", title: "no key id, several RSA keys: each is tried", jwks: twoKeys }, () => [
    forge({ header: { alg: "RS256" } }),
    forge({ header: { alg: "RS256" }, key: "rsa-3072" }),
  ]);

  accepts(
    "D10",
    "M",
    { source: "parity", title: "an unknown key id, signed by a key that has none", jwks: twoKeys },
    () => [forge({ header: { alg: "RS256", kid: "elsewhere" } })],
  );

  refuses("D11", "M", { source: "key ids", title: "an unknown key id, where all keys have one" }, () => [
    forge({ header: { alg: "RS256", kid: "elsewhere" } }),
  ]);

  securityTest(
    attack("D12", "H", {
      source: "RFC 7517 §4.2, 4.3",
      title: "a key that is declared for encryption",
      outcome: "401; the key is left out and named",
    }),
    async () => {
      const rsa = publicMembers(testJwk("rsa-2048"));
      for (const declared of [{ use: "enc" }, { key_ops: ["encrypt"] }, { key_ops: [] }]) {
        const harness = await trusting(jwks({ ...rsa, ...declared }));
        expect(await tokenStatuses(harness, [forge()]), JSON.stringify(declared)).toEqual([401]);
        expect(JSON.stringify(harness.reports())).toContain("the key is not for");
      }
      expect(await tokenStatuses(await trusting(jwks({ ...rsa, use: "sig", key_ops: ["verify"] })), [forge()])).toEqual(
        [200],
      );
    },
  );

  securityTest(
    attack("D13", "H", {
      source: "weak keys",
      title: "RSA keys of 1024 bits, or with an exponent of 1 or 2^32+1",
      outcome: "401; the key is left out and named",
    }),
    async () => {
      const weak = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
      const odd = generateKeyPairSync("rsa", { modulusLength: 2048, publicExponent: 0x10003 }).privateKey;
      for (const key of [weak, odd]) {
        const harness = await trusting(jwks(jwkOf(key)));
        expect(await tokenStatuses(harness, [forge({ key })])).toEqual([401]);
        expect(
          harness
            .reports()[0]
            ?.diagnostics.map(({ message }) => message)
            .join(),
        ).toMatch(/RSA (key of|exponent)/);
      }
      // With e = 1 every text is its own signature.
      const harness = await trusting(jwks({ ...publicMembers(testJwk("rsa-2048")), e: "AQ" }));
      expect(await tokenStatuses(harness, [forge()])).toEqual([401]);
    },
  );

  refuses(
    "D14",
    "H",
    { source: "RFC 7518 §3.4", title: "ES256 under a P-384 key", jwks: publicJwks("ec-p384") },
    () => [
      forge({ key: "ec-p384", alg: "ES256", header: { alg: "ES256" } }),
      forge({ key: "ec-p384", alg: "ES256", header: { alg: "ES256", kid: "ec-p384" } }),
    ],
  );

  securityTest(
    attack("D20", "M", {
      source: "CVE-2026-44351",
      title: "HMAC keys that are short or empty",
      outcome: "401; the key is left out and named; 32 bytes verify",
    }),
    async () => {
      for (const secret of ["", "short", "x".repeat(31)]) {
        const k = Buffer.from(secret).toString("base64url");
        const harness = await trusting(jwks({ kty: "oct", alg: "HS256", kid: "s", k }));
        expect(await tokenStatuses(harness, [forgeHmac(secret, { kid: "s" }), forgeHmac("", {})])).toEqual([401, 401]);
        expect(harness.reports()[0]?.diagnostics.length).toBeGreaterThan(0);
      }
      const secret = "x".repeat(32);
      const harness = await trusting(jwks({ kty: "oct", kid: "s", k: Buffer.from(secret).toString("base64url") }));
      expect(await tokenStatuses(harness, [forgeHmac(secret, { kid: "s" })])).toEqual([200]);
    },
  );

  securityTest(
    attack("D23", "M", {
      source: "EdDSA",
      title: "curves besides Ed25519, key types nobody knows",
      outcome: "Ed25519 verifies; other keys are left out, the rest stays",
    }),
    async () => {
      const ed448 = generateKeyPairSync("ed448").privateKey;
      const x25519 = generateKeyPairSync("x25519").privateKey;
      const others = [
        jwkOf(ed448),
        jwkOf(x25519),
        { kty: "AKP", alg: "ML-DSA-44" },
        { kty: "OKP", crv: "Ed25519", x: "AA" },
      ];
      const ed25519 = publicMembers(testJwk("ed25519"));
      const eddsa = { key: "ed25519", alg: "EdDSA" } as const;
      const harness = await trusting(jwks(...others, ed25519));
      expect(
        await tokenStatuses(harness, [
          forge({ ...eddsa, header: { alg: "EdDSA" } }),
          forge({ ...eddsa, header: { alg: "Ed25519" } }),
          forge({ key: ed448, alg: "EdDSA", header: { alg: "EdDSA" } }),
        ]),
      ).toEqual([200, 401, 401]);
      expect(await tokenStatuses(await trusting(jwks(...others)), [forge()])).toEqual([401]);
    },
  );
});
