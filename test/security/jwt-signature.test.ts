import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { createServer } from "node:net";
import { describe, expect } from "vitest";
import { type CheckHarness, createCheckHarness } from "../support/check-harness.ts";
import { publicJwks } from "../support/jwt.ts";
import { type SecurityCase, securityTest } from "./register.ts";
import { forge, forgeHmac, NOW_SEC, requestAuthentication, segment, testJwk, VALID_CLAIMS } from "./token-forge.ts";

const KEYS = publicJwks("rsa-2048", "ec-p256", "ed25519");

/** A server that trusts these keys; every request without a bad token is allowed, so a 401 is the token's doing. */
function trusting(jwks: string = KEYS): Promise<CheckHarness> {
  return createCheckHarness({ policies: requestAuthentication(jwks), nowMs: () => NOW_SEC * 1000 });
}

async function statuses(harness: CheckHarness, tokens: readonly string[]): Promise<readonly number[]> {
  const answers = await Promise.all(tokens.map((token) => harness.check({ token })));
  return answers.map(({ status }) => status);
}

function attack(
  id: string,
  severity: SecurityCase["severity"],
  about: Pick<SecurityCase, "source" | "title" | "outcome">,
): SecurityCase {
  return { id, severity, mode: ["exact", "strict", "hardened"], level: "token", ...about };
}

/** Every token is refused, and the server that refuses them accepts an honest one. */
function refuses(
  id: string,
  severity: SecurityCase["severity"],
  about: Omit<Parameters<typeof attack>[2], "outcome"> & { readonly jwks?: string },
  tokens: () => readonly string[],
): void {
  const { jwks = KEYS, ...rest } = about;
  securityTest(attack(id, severity, { ...rest, outcome: "401" }), async () => {
    const harness = await trusting(jwks);
    const forged = tokens();
    expect(await statuses(harness, forged)).toEqual(forged.map(() => 401));
    if (jwks === KEYS) expect(await statuses(harness, [forge()])).toEqual([200]);
  });
}

function accepts(
  id: string,
  severity: SecurityCase["severity"],
  about: Omit<Parameters<typeof attack>[2], "outcome"> & { readonly jwks?: string },
  tokens: () => readonly string[],
): void {
  const { jwks = KEYS, ...rest } = about;
  securityTest(attack(id, severity, { ...rest, outcome: "accepted" }), async () => {
    const forged = tokens();
    expect(await statuses(await trusting(jwks), forged)).toEqual(forged.map(() => 200));
  });
}

const PAYLOAD = segment(JSON.stringify(VALID_CLAIMS));

function unsigned(header: Readonly<Record<string, unknown>>, signature = ""): string {
  return `${segment(header)}.${PAYLOAD}.${signature}`;
}

function withSignature(token: string, change: (signature: Buffer) => Uint8Array): string {
  const [header, payload, signature = ""] = token.split(".");
  return `${header}.${payload}.${Buffer.from(change(Buffer.from(signature, "base64url"))).toString("base64url")}`;
}

function jwks(...keys: readonly object[]): string {
  return JSON.stringify({ keys });
}

function publicMembers({ kty, n, e, crv, x, y }: Readonly<Record<string, string>>): object {
  return JSON.parse(JSON.stringify({ kty, n, e, crv, x, y }));
}

function jwkOf(key: KeyObject): object {
  return { ...createPublicKey(key).export({ format: "jwk" }) };
}

const ES256 = { key: "ec-p256", alg: "ES256" } as const;

describe("the signature of a token and its JOSE header", () => {
  refuses("D01", "C", { source: "alg none", title: "a token that says it needs no signature" }, () =>
    ["none", "None", "nOnE", "NONE"].flatMap((alg) => [
      unsigned({ alg }),
      unsigned({ alg, kid: "rsa-2048" }, "AA"),
      unsigned({ alg }).slice(0, -1),
    ]),
  );

  refuses("D02", "C", { source: "signature stripping", title: "a good token without its signature" }, () => {
    const [header, payload] = forge().split(".");
    return [`${header}.${payload}.`, `${header}.${payload}`, `${header}..`, `.${payload}.`];
  });

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
        ...[JSON.stringify(publicMembers(jwk)), KEYS, jwk["n"] ?? ""],
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
      const es256 = forge({ ...ES256, header: { alg: "ES256" } });
      expect(await statuses(await trusting(jwks({ ...rsa, alg: "RS256" })), [ps256, rs512])).toEqual([401, 401]);
      expect(await statuses(await trusting(jwks(rsa)), [ps256, rs512, hs256, es256])).toEqual([200, 200, 401, 401]);
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
      expect(await statuses(harness, good)).toEqual(good.map(() => 200));
      expect(await statuses(harness, bad)).toEqual(bad.map(() => 401));
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
      expect(await statuses(harness, tokens)).toEqual(ids.map(() => 401));
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
        expect(await statuses(harness, [forge()]), JSON.stringify(declared)).toEqual([401]);
        expect(JSON.stringify(harness.reports())).toContain("the key is not for");
      }
      expect(await statuses(await trusting(jwks({ ...rsa, use: "sig", key_ops: ["verify"] })), [forge()])).toEqual([
        200,
      ]);
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
        expect(await statuses(harness, [forge({ key })])).toEqual([401]);
        expect(
          harness
            .reports()[0]
            ?.diagnostics.map(({ message }) => message)
            .join(),
        ).toMatch(/RSA (key of|exponent)/);
      }
      // With e = 1 every text is its own signature.
      const harness = await trusting(jwks({ ...publicMembers(testJwk("rsa-2048")), e: "AQ" }));
      expect(await statuses(harness, [forge()])).toEqual([401]);
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

  refuses(
    "D15",
    "C",
    { source: "CVE-2022-21449", title: "ECDSA signatures with r or s of 0 or the group order" },
    () => {
      const zero = Buffer.alloc(32);
      const order = Buffer.from(P256_ORDER.toString(16), "hex");
      const pairs = [
        [zero, zero],
        [order, order],
        [order, zero],
        [zero, order],
        [Buffer.alloc(32, 255), Buffer.alloc(32, 255)],
      ];
      return pairs.map((pair) => withSignature(forge(ES256), () => Buffer.concat(pair)));
    },
  );

  accepts(
    "D16",
    "L",
    { source: "ECDSA malleability", title: "the other signature of the same token, s to n - s" },
    () => [
      withSignature(forge(ES256), (signature) => {
        const s = BigInt(`0x${signature.subarray(32).toString("hex")}`);
        const other = (P256_ORDER - s).toString(16).padStart(64, "0");
        return Buffer.concat([signature.subarray(0, 32), Buffer.from(other, "hex")]);
      }),
    ],
  );

  refuses(
    "D17",
    "M",
    { source: "RFC 7518 §3.4", title: "an ECDSA signature in DER, a byte short, a byte long" },
    () => [
      withSignature(forge(ES256), der),
      withSignature(forge(ES256), (signature) => signature.subarray(0, 63)),
      withSignature(forge(ES256), (signature) => signature.subarray(1)),
      withSignature(forge(ES256), (signature) => Buffer.concat([signature, Buffer.from([0])])),
      withSignature(forge(ES256), (signature) => Buffer.concat([Buffer.from([0]), signature])),
    ],
  );

  refuses("D18", "H", { source: "CVE-2026-35042", title: "extensions that must be understood (crit)" }, () =>
    [["x"], [], "x", null, {}, ["exp"], 1].map((crit) =>
      forge({ header: { alg: "RS256", kid: "rsa-2048", crit, x: 1 } }),
    ),
  );

  refuses("D19", "H", { source: "RFC 7797", title: "a payload that is declared unencoded (b64: false)" }, () => [
    forge({ header: { alg: "RS256", kid: "rsa-2048", b64: false, crit: ["b64"] } }),
  ]);

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
        expect(await statuses(harness, [forgeHmac(secret, { kid: "s" }), forgeHmac("", {})])).toEqual([401, 401]);
        expect(harness.reports()[0]?.diagnostics.length).toBeGreaterThan(0);
      }
      const secret = "x".repeat(32);
      const harness = await trusting(jwks({ kty: "oct", kid: "s", k: Buffer.from(secret).toString("base64url") }));
      expect(await statuses(harness, [forgeHmac(secret, { kid: "s" })])).toEqual([200]);
    },
  );

  refuses(
    "D21",
    "H",
    { source: "CVE-2024-28176, CVE-2026-29000", title: "an encrypted token (five parts), a zip bomb" },
    () => [
      ...[{ alg: "RSA-OAEP", enc: "A256GCM" }, { alg: "dir", enc: "A256GCM", zip: "DEF" }, { alg: "none" }].map(
        (header) => `${segment(header)}.${PAYLOAD}.${PAYLOAD}.${PAYLOAD}.AAAA`,
      ),
      `${segment({ alg: "RS256", kid: "rsa-2048" })}.${PAYLOAD}.${PAYLOAD}.${PAYLOAD}.AAAA`,
      `${forge()}.AAAA.AAAA`,
    ],
  );

  securityTest(
    attack("D22", "M", {
      source: "nested tokens",
      title: "any typ; a token inside a token",
      outcome: "typ is not read; a nested token is not opened (401)",
    }),
    async () => {
      const types = ["jwt", "JWT", "at+jwt", "x", 1, null].map((typ) =>
        forge({ header: { alg: "RS256", kid: "rsa-2048", typ } }),
      );
      const harness = await trusting();
      expect(await statuses(harness, types)).toEqual(types.map(() => 200));
      const nested = forge({ header: { alg: "RS256", kid: "rsa-2048", cty: "JWT" }, payload: forge() });
      expect(await statuses(harness, [nested])).toEqual([401]);
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
        await statuses(harness, [
          forge({ ...eddsa, header: { alg: "EdDSA" } }),
          forge({ ...eddsa, header: { alg: "Ed25519" } }),
          forge({ key: ed448, alg: "EdDSA", header: { alg: "EdDSA" } }),
        ]),
      ).toEqual([200, 401, 401]);
      expect(await statuses(await trusting(jwks(...others)), [forge()])).toEqual([401]);
    },
  );

  refuses(
    "D24",
    "M",
    { source: "duplicate members", title: "alg or kid twice in the header, alg in lower case" },
    () => [
      forge({ header: '{"alg":"none","alg":"RS256","kid":"rsa-2048"}' }),
      forge({ header: '{"alg":"RS256","alg":"none","kid":"rsa-2048"}' }),
      forge({ header: '{"alg":"RS256","alg":"RS256","kid":"rsa-2048"}' }),
      forge({ header: '{"alg":"RS256","kid":"x","kid":"rsa-2048"}' }),
      forge({ header: '{"\\u0061lg":"none","alg":"RS256","kid":"rsa-2048"}' }),
      forge({ header: '{"alg":"rs256","kid":"rsa-2048"}' }),
      forge({ header: '{"ALG":"RS256","kid":"rsa-2048"}' }),
    ],
  );

  refuses("D25", "L", { source: "one token, one text", title: "trailing blanks, unused last bits" }, () => {
    const token = forge();
    const stray = forge({ payload: `${JSON.stringify(VALID_CLAIMS)} ` });
    return [`${token} `, `${token}\n`, `${token}\t`, `${token}\r\n`, otherLastBits(token), strayPayloadBits(stray)];
  });

  refuses(
    "D26",
    "L",
    { source: "compact serialization", title: "dots and alphabets that are not those of a JWS" },
    () => {
      const token = forge();
      const [header = "", payload = "", signature = ""] = token.split(".");
      const standard = Buffer.from(signature, "base64url").toString("base64");
      return [
        ...[
          `${token}.`,
          `.${token}`,
          `${token}=`,
          `${header}=.${payload}.${signature}`,
          `${header}..${payload}.${signature}`,
        ],
        ...[`${header}.${payload}.${standard}`, `${header}.${payload}=.${signature}`, `"${token}"`, "..", "."],
      ];
    },
  );

  securityTest(
    attack("D27", "H", {
      source: "oversized tokens",
      title: "tokens of 8 KB to 1 MB, ten thousand dots",
      outcome: "up to 32 KiB are read; beyond that 401, unread",
    }),
    async () => {
      const harness = await trusting();
      const sized = (bytes: number) => forge({ claims: { filler: "x".repeat(bytes) } });
      expect(await statuses(harness, [sized(4000), sized(8000)])).toEqual([200, 200]);
      const huge = [sized(60_000), sized(1_000_000), ".".repeat(10_000), "a.".repeat(10_000), "x".repeat(1_000_000)];
      const startedMs = performance.now();
      expect(await statuses(harness, huge)).toEqual(huge.map(() => 401));
      expect(performance.now() - startedMs).toBeLessThan(500);
    },
  );

  refuses(
    "D28",
    "C",
    { source: "CVE-2019-12995 and other crashes of verifiers", title: "what has crashed a verifier" },
    () => [
      unsigned({ alg: "ES256", kid: "rsa-2048" }),
      unsigned({ alg: "ES256", kid: "rsa-2048" }, "AA"),
      unsigned({ alg: "RS256", kid: "ec-p256" }, "AA"),
      unsigned({ alg: "EdDSA", kid: "rsa-2048" }, "AA"),
      unsigned({ alg: "RS256", kid: "rsa-2048" }, "AA"),
      unsigned({ alg: "RS256", kid: "rsa-2048" }, Buffer.alloc(256, 255).toString("base64url")),
      unsigned({ alg: "PS512", kid: "rsa-2048" }, Buffer.alloc(255).toString("base64url")),
      ...["", "\u0001", "....", "e30.e30.", "e30.e30.AA", "bnVsbA.bnVsbA.AA", "W10.W10.AA", "MQ.MQ.MQ", "eyJ.eyJ.eyJ"],
      ...[`${segment('{"alg":{}}')}.e30.AA`, `${segment('{"alg":null}')}.e30.AA`, `${segment("[]")}.e30.AA`],
    ],
  );
});

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function der(signature: Buffer): Uint8Array {
  const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([2, 33, 0]), bytes]);
  const body = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** 256 bytes leave four unused bits in the last character of their base64. */
function otherLastBits(token: string): string {
  const last = ALPHABET.indexOf(token.slice(-1));
  return `${token.slice(0, -1)}${ALPHABET.charAt(last ^ 1)}`;
}

function strayPayloadBits(token: string): string {
  const [header, payload = "", signature] = token.split(".");
  return `${header}.${otherLastBits(payload)}.${signature}`;
}
