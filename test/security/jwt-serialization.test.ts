import { describe, expect } from "vitest";
import { refuses, trusting, VALID_PAYLOAD } from "./fixtures/forgeries.ts";
import { tokenStatuses } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { forge, segment, VALID_CLAIMS } from "./token-forge.ts";

const attack = attacksAt("token");

describe("the JOSE header of a token and its serialization", () => {
  refuses("D18", "H", { source: "CVE-2026-35042", title: "extensions that must be understood (crit)" }, () =>
    [["x"], [], "x", null, {}, ["exp"], 1].map((crit) =>
      forge({ header: { alg: "RS256", kid: "rsa-2048", crit, x: 1 } }),
    ),
  );

  refuses("D19", "H", { source: "RFC 7797", title: "a payload that is declared unencoded (b64: false)" }, () => [
    forge({ header: { alg: "RS256", kid: "rsa-2048", b64: false, crit: ["b64"] } }),
  ]);

  refuses(
    "D21",
    "H",
    { source: "CVE-2024-28176, CVE-2026-29000", title: "an encrypted token (five parts), a zip bomb" },
    () => [
      ...[{ alg: "RSA-OAEP", enc: "A256GCM" }, { alg: "dir", enc: "A256GCM", zip: "DEF" }, { alg: "none" }].map(
        (header) => `${segment(header)}.${VALID_PAYLOAD}.${VALID_PAYLOAD}.${VALID_PAYLOAD}.AAAA`,
      ),
      `${segment({ alg: "RS256", kid: "rsa-2048" })}.${VALID_PAYLOAD}.${VALID_PAYLOAD}.${VALID_PAYLOAD}.AAAA`,
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
      expect(await tokenStatuses(harness, types)).toEqual(types.map(() => 200));
      const nested = forge({ header: { alg: "RS256", kid: "rsa-2048", cty: "JWT" }, payload: forge() });
      expect(await tokenStatuses(harness, [nested])).toEqual([401]);
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
      expect(await tokenStatuses(harness, [sized(4000), sized(8000)])).toEqual([200, 200]);
      const huge = [sized(60_000), sized(1_000_000), ".".repeat(10_000), "a.".repeat(10_000), "x".repeat(1_000_000)];
      const startedMs = performance.now();
      expect(await tokenStatuses(harness, huge)).toEqual(huge.map(() => 401));
      expect(performance.now() - startedMs).toBeLessThan(500);
    },
  );
});

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
