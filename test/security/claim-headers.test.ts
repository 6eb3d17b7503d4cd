import { beforeAll, describe, expect } from "vitest";
import type { CheckHarness } from "../support/check-harness.ts";
import { publicJwks } from "../support/jwt.ts";
import { serverAtNow } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { forge, requestAuthentication } from "./token-forge.ts";

const attack = attacksAt("check");

describe("headers made from claims", () => {
  const OUTPUT = requestAuthentication(publicJwks(), "      outputClaimToHeaders: [{ header: x-jwt-c, claim: c }]");
  let harness: CheckHarness;
  beforeAll(async () => {
    harness = await serverAtNow(OUTPUT);
  });

  const withClaim = (c: unknown, headers: readonly (readonly [string, string])[] = []) =>
    harness.check({ token: forge({ claims: { c } }), headers });

  securityTest(
    attack("H05", "C", {
      source: "CVE-2023-27493",
      title: "a claim with a line break, NUL or DEL",
      outcome: "the header is left out, a client's copy removed",
    }),
    async () => {
      for (const c of ["a\r\nx-evil: 1", "a\nb", "\u0000", "a\u007f", "\u001b[0m", "\r", "a\u0000b"]) {
        const answer = await withClaim(c, [["x-jwt-c", "spoofed"]]);
        expect(answer.code).toBe(0);
        expect(answer.set.has("x-jwt-c"), JSON.stringify(c)).toBe(false);
        expect(answer.removed).toContain("x-jwt-c");
        expect(Buffer.from(answer.bytes).includes("x-evil")).toBe(false);
      }
    },
  );

  securityTest(
    attack("H06", "M", {
      source: "parity",
      title: "claims outside ASCII",
      outcome: "UTF-8 bytes, as Envoy's jwt_authn",
    }),
    async () => {
      for (const c of ["é", "日本", "😀"]) expect((await withClaim(c)).set.get("x-jwt-c")).toBe(c);
    },
  );

  securityTest(
    attack("H07", "M", {
      source: "parity",
      title: "claims that are no text",
      outcome: "as Envoy: six digits, base64 of JSON, nothing for empty",
    }),
    async () => {
      const rows = [
        ...[[1, "1"] as const, [1.5, "1.500000"] as const, [-1, "-1.000000"] as const],
        ...[[1e21, "1000000000000000000000.000000"] as const, [true, "true"] as const, [false, "false"] as const],
        ...[[["a", "b"], "WyJhIiwiYiJd"] as const, [{ a: 1 }, "eyJhIjoxfQ=="] as const],
        ...[["", undefined] as const, [null, undefined] as const],
      ];
      for (const [c, expected] of rows) expect((await withClaim(c)).set.get("x-jwt-c")).toBe(expected);
    },
  );

  securityTest(
    attack("H08", "H", {
      source: "Envoy removes last",
      title: "a client's copy of a header that we set",
      outcome: "overwritten, never also removed",
    }),
    async () => {
      const answer = await withClaim("own", [
        ["x-jwt-c", "spoofed"],
        ["x-jwt-c", "again"],
        ["x_jwt_c", "other"],
      ]);
      expect([...answer.set]).toEqual([["x-jwt-c", "own"]]);
      expect(answer.removed).toContain("x_jwt_c");
      expect(answer.removed).not.toContain("x-jwt-c");
    },
  );

  securityTest(
    attack("H09", "M", {
      source: "keep_empty_value",
      title: "a header that is emptied by setting nothing",
      outcome: "never set to an empty value; removed",
    }),
    async () => {
      for (const c of ["", null, undefined]) {
        const answer = await withClaim(c, [["x-jwt-c", "spoofed"]]);
        expect([...answer.set.values()].filter((value) => value === "")).toEqual([]);
        expect(answer.removed).toContain("x-jwt-c");
      }
    },
  );

  securityTest(
    attack("H10", "H", {
      level: "policy",
      source: "request smuggling by policy",
      title: "claims copied to headers of the transport, of Envoy, or of ours",
      outcome: "refused with a reason; the rule rejects its tokens",
    }),
    async () => {
      const names = [
        ...[
          "host",
          "Host",
          ":path",
          ":authority",
          "authorization",
          "content-length",
          "transfer-encoding",
          "connection",
        ],
        ...["x-envoy-original-path", "X-Envoy-Retry-On", "x-forwarded-for", "x_forwarded_for", "x-gatehouse-cluster"],
        ...["x-gatehouse-route", "te", "upgrade", "proxy-authorization"],
      ];
      for (const name of names) {
        const outputs = [
          `      outputClaimToHeaders: [{ header: "${name}", claim: sub }]`,
          `      outputPayloadToHeader: "${name}"`,
        ];
        for (const output of outputs) {
          const refusing = await serverAtNow(requestAuthentication(publicJwks(), output));
          expect(
            refusing.reports().map(({ accepted }) => accepted),
            output,
          ).toEqual([false]);
          expect((await refusing.check({ token: forge() })).status, output).toBe(401);
        }
      }
    },
  );
});
