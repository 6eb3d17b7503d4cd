import { describe } from "vitest";
import { accepts, refuses, unsigned } from "./fixtures/forgeries.ts";
import { forge, segment } from "./token-forge.ts";

const ES256 = { key: "ec-p256", alg: "ES256" } as const;

describe("the signature of a token", () => {
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

function withSignature(token: string, change: (signature: Buffer) => Uint8Array): string {
  const [header, payload, signature = ""] = token.split(".");
  return `${header}.${payload}.${Buffer.from(change(Buffer.from(signature, "base64url"))).toString("base64url")}`;
}

const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

function der(signature: Buffer): Uint8Array {
  const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([2, 33, 0]), bytes]);
  const body = Buffer.concat([integer(signature.subarray(0, 32)), integer(signature.subarray(32))]);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}
