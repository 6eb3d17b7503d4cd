import { afterAll, beforeAll, describe, expect } from "vitest";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import type { HeaderLine } from "../support/raw-http.ts";
import { expectRefused, type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import { ANYJWT, RA1 } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("envoy", ["exact"]);

const BAD = "e30.e30.AA";

describe("tokens through Envoy", () => {
  let stack: SecurityStack;
  let good: string;
  beforeAll(async () => {
    good = await mintTestToken({ canary: "canary-claim" });
    const two = {
      kind: "RequestAuthentication",
      name: "three-places",
      spec: {
        jwtRules: [
          {
            issuer: TEST_ISSUER,
            jwks: publicJwks(),
            fromHeaders: [{ name: "authorization", prefix: "Bearer " }],
            fromParams: ["access_token"],
            fromCookies: ["session"],
          },
        ],
      },
    } as const;
    stack = await startSecurityStack({ mode: "exact", apps: { ra1: [RA1], strip: [two], any: [RA1, ANYJWT] } });
  });
  afterAll(() => stack?.stop());

  securityTest(
    attack("F04", "C", {
      source: "Envoy's token extraction",
      title: "of two Authorization headers, in any order, none is a way around the other",
      outcome: "401",
    }),
    async () => {
      for (const tokens of [
        [good, BAD],
        [BAD, good],
        [good, good],
      ]) {
        const headers = tokens.map((token): HeaderLine => ["Authorization", `Bearer ${token}`]);
        expectRefused(await stack.send("ra1", { headers }), 401, tokens);
      }
    },
  );

  securityTest(
    attack("F12", "H", {
      source: "forwardOriginalToken",
      title: "a token that is not to be forwarded reaches no upstream by header or query",
      outcome: "removed; a cookie stays, documented",
    }),
    async () => {
      const { received } = await stack.send("strip", { token: good, path: `/x?a=b&access_token=${good}&c=%41` });
      expect(JSON.stringify(received)).not.toContain(good);
      expect(received.map(({ path }) => path)).toEqual(["/x?a=b&c=%41"]);
      const alone = await stack.send("strip", { path: `/x?access_token=${good}` });
      expect(alone.received.map(({ path }) => path)).toEqual(["/x"]);
      const cookie = await stack.send("strip", { headers: [["Cookie", `session=${good}`]] });
      expect(cookie.received[0]?.headers.find(([name]) => name === "cookie")?.[1]).toBe(`session=${good}`);
    },
  );

  securityTest(
    attack("F14", "H", {
      source: "canary tokens",
      title: "no part of a token stands in an answer, a log line or a metric",
      outcome: "never",
    }),
    async () => {
      const expired = await mintTestToken({ exp: 1_000_000_000, canary: "canary-claim" });
      const forged = `${good.slice(0, -8)}AAAAAAAA`;
      const answers: unknown[] = [];
      for (const token of [good, expired, forged, "canary-garbage", "canary.gar.bage"]) {
        for (const app of ["ra1", "any", "strip"]) {
          const asks = [
            { token },
            { path: `/canary-path?access_token=${token}` },
            { headers: [["Cookie", `session=${token}`]] as const },
          ];
          for (const ask of asks) {
            const { response, received } = await stack.send(app, ask);
            // What an upstream echoes is the upstream's.
            answers.push(response.headers, received.length === 0 ? response.body : "");
          }
        }
      }
      const outputs = [JSON.stringify(answers), stack.log().join(""), await stack.metrics(), stack.envoy.log()].join(
        "\n",
      );
      expect(outputs).toContain("Bearer realm=");
      for (const part of [good, expired, forged].flatMap((token) => token.split(".")))
        expect(outputs).not.toContain(part);
      expect(outputs).not.toMatch(/canary-(garbage|claim)|canary\.gar/);
    },
  );
});
