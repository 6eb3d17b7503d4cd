import { afterAll, beforeAll, describe, expect } from "vitest";
import { mintTestToken, mintToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import type { HeaderLine } from "../support/raw-http.ts";
import { serverWith, statusesOf } from "./fixtures/check.ts";
import { type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import { ANYJWT, NOJWT, RA1, RA2, requestAuthentication } from "./fixtures/policies.ts";
import { securityTest } from "./register.ts";

const SOURCE = "Envoy's token extraction";
const BAD = "e30.e30.AA";

/** A request with this Authorization header. */
function authorized(value: string): { readonly headers: readonly HeaderLine[] } {
  return { headers: [["authorization", value]] };
}

describe("one request", () => {
  let good: string;
  beforeAll(async () => {
    good = await mintTestToken();
  });

  securityTest(
    {
      id: "F01",
      severity: "H",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "a scheme in lower case is no token, and no token gives no rights",
      outcome: "not seen, as Envoy; deny where a token is required",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const asks = [authorized(`bearer ${BAD}`), authorized(`bearer ${good}`), authorized(`BEARER ${good}`)];
        expect(await statusesOf(await serverWith(mode, RA1), asks)).toEqual([200, 200, 200]);
        expect(await statusesOf(await serverWith(mode, RA1, ANYJWT), asks)).toEqual([403, 403, 403]);
      }
    },
  );

  securityTest(
    {
      id: "F02",
      severity: "M",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "other credentials are no token",
      outcome: "treated as missing",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const asks = ["Basic abc", "Bearer", `Bearer\t${good}`, `Bearer${good}`, ""].map(authorized);
        expect(await statusesOf(await serverWith(mode, RA1), asks)).toEqual(asks.map(() => 200));
        expect(await statusesOf(await serverWith(mode, RA1, ANYJWT), asks)).toEqual(asks.map(() => 403));
      }
    },
  );

  securityTest(
    {
      id: "F03",
      severity: "H",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "a token may stand anywhere in the value, and then it counts",
      outcome: "401",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const asks = [
          `Basic abc, Bearer ${BAD}`,
          `x Bearer ${BAD}`,
          `Bearer ${good}, Bearer ${BAD}`,
          `Bearer ${good} x`,
        ].map(authorized);
        expect(await statusesOf(await serverWith(mode, RA1), asks)).toEqual([401, 401, 401, 401]);
      }
    },
  );

  securityTest(
    {
      id: "F05",
      severity: "H",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "of a token in the header and one in the query both must verify",
      outcome: "401",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, RA1);
        const asks = [
          { ...authorized(`Bearer ${good}`), path: `/?access_token=${BAD}` },
          { ...authorized(`Bearer ${BAD}`), path: `/?access_token=${good}` },
          { ...authorized(`Bearer ${good}`), path: `/?access_token=${good}` },
        ];
        expect(await statusesOf(server, asks)).toEqual([401, 401, 200]);
      }
    },
  );

  securityTest(
    {
      id: "F06",
      severity: "H",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "of several tokens in the query each must verify",
      outcome: "401, stricter than Envoy",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, RA1);
        const paths = [
          `/?access_token=${good}&access_token=${BAD}`,
          `/?access_token=${BAD}&access_token=${good}`,
          `/?access_token=${good}`,
        ];
        expect(
          await statusesOf(
            server,
            paths.map((path) => ({ path })),
          ),
        ).toEqual([401, 401, 200]);
      }
    },
  );

  securityTest(
    {
      id: "F07",
      severity: "M",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "an empty token in the query is a token",
      outcome: "401",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const paths = ["/?access_token=", "/?access_token", "/?a=b&access_token=&c=d"];
        expect(
          await statusesOf(
            await serverWith(mode, RA1),
            paths.map((path) => ({ path })),
          ),
        ).toEqual([401, 401, 401]);
      }
    },
  );

  securityTest(
    {
      id: "F08",
      severity: "H",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "a token counts only where the rule looks, and the usual places are off once any is named",
      outcome: "ignored elsewhere",
    },
    async () => {
      const custom = requestAuthentication("custom", {
        fromHeaders: [{ name: "x-token", prefix: "Token " }],
        fromCookies: ["session"],
        fromParams: ["jwt"],
      });
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, custom, ANYJWT);
        const named = [
          { headers: [["x-token", `Token ${good}`]] as const },
          { headers: [["cookie", `a=b; session=${good}`]] as const },
          { path: `/?jwt=${good}` },
        ];
        expect(await statusesOf(server, named)).toEqual([200, 200, 200]);
        const elsewhere = [
          { token: good },
          { path: `/?access_token=${good}` },
          { headers: [["x-token", good]] as const },
          { headers: [["cookie", `Session=${good}`]] as const },
          { headers: [["x-other", `Token ${good}`]] as const },
        ];
        expect(await statusesOf(server, elsewhere)).toEqual([403, 403, 403, 403, 403]);
        expect(await statusesOf(server, [{ headers: [["x-token", `Token ${BAD}`]] }])).toEqual([401]);
      }
    },
  );

  securityTest(
    {
      id: "F09",
      severity: "H",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "with two issuers at one header a token of neither is no token of somebody",
      outcome: "401",
    },
    async () => {
      const other = await mintToken({ iss: "other@secure.istio.io", sub: "o", exp: 4_102_444_800 }, { alg: "ES384" });
      const stranger = await mintToken({ iss: "stranger", sub: "s", exp: 4_102_444_800 });
      // Signed by the first issuer's key in the name of the second.
      const crossed = await mintToken({ iss: "other@secure.istio.io", sub: "o", exp: 4_102_444_800 });
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, RA1, RA2);
        const asks = [good, other, stranger, crossed, "garbage"].map((token) => ({ token }));
        expect(await statusesOf(server, asks)).toEqual([200, 200, 401, 401, 401]);
      }
    },
  );

  const PREFLIGHT: readonly HeaderLine[] = [
    ["origin", "http://a"],
    ["access-control-request-method", "GET"],
  ];

  securityTest(
    {
      id: "F10",
      severity: "M",
      source: "bypass_cors_preflight",
      mode: ["exact", "strict"],
      level: "check",
      title: "a preflight skips tokens, never policies",
      outcome: "as Istio; deny where a policy denies",
    },
    async () => {
      const preflight = { method: "OPTIONS", token: BAD, headers: PREFLIGHT };
      for (const mode of ["exact", "strict"] as const) {
        expect(await statusesOf(await serverWith(mode, RA1), [preflight])).toEqual([200]);
        expect(
          await statusesOf(await serverWith(mode, RA1, ANYJWT), [preflight, { ...preflight, token: good }]),
        ).toEqual([403, 403]);
        expect(await statusesOf(await serverWith(mode, RA1, NOJWT), [preflight])).toEqual([403]);
      }
    },
  );

  securityTest(
    {
      id: "F11",
      severity: "H",
      source: "bypass_cors_preflight",
      mode: ["exact", "strict"],
      level: "check",
      title: "what is no preflight does not skip tokens",
      outcome: "401",
    },
    async () => {
      const [origin, asked] = PREFLIGHT;
      if (origin === undefined || asked === undefined) throw new Error("no preflight headers");
      const empty: HeaderLine = ["origin", ""];
      for (const mode of ["exact", "strict"] as const) {
        const asks = [
          { method: "OPTIONS", token: BAD },
          { method: "OPTIONS", token: BAD, headers: [origin] },
          { method: "OPTIONS", token: BAD, headers: [asked] },
          { method: "OPTIONS", token: BAD, headers: [empty, asked] },
          { method: "GET", token: BAD, headers: PREFLIGHT },
          { method: "options", token: BAD, headers: PREFLIGHT },
        ];
        expect(await statusesOf(await serverWith(mode, RA1), asks)).toEqual(asks.map(() => 401));
      }
    },
  );

  securityTest(
    {
      id: "F13",
      severity: "M",
      source: SOURCE,
      mode: ["exact", "strict"],
      level: "check",
      title: "an escaped name of a parameter is the name, an escaped token is the token",
      outcome: "401 for a bad one, as Envoy",
    },
    async () => {
      const escaped = good.replace(/[aQ]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
      expect(escaped).not.toBe(good);
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, RA1, ANYJWT);
        const paths = [
          `/?access%5Ftoken=${BAD}`,
          `/?%61ccess_token=${BAD}`,
          `/?access_token=${escaped}`,
          `/?access%5ftoken=${good}`,
        ];
        expect(
          await statusesOf(
            server,
            paths.map((path) => ({ path })),
          ),
        ).toEqual([401, 401, 200, 200]);
        // Found under an escaped name, removed under it.
        expect((await server.check({ path: `/x?a=b&access%5ftoken=${good}&c=d` })).set.get(":path")).toBe("/x?a=b&c=d");
      }
    },
  );
});

describe("through Envoy", () => {
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
    {
      id: "F04",
      severity: "C",
      source: SOURCE,
      mode: ["exact"],
      level: "envoy",
      title: "of two Authorization headers, in any order, none is a way around the other",
      outcome: "401",
    },
    async () => {
      for (const tokens of [
        [good, BAD],
        [BAD, good],
        [good, good],
      ]) {
        const headers = tokens.map((token): HeaderLine => ["Authorization", `Bearer ${token}`]);
        const answer = await stack.send("ra1", { headers });
        expect([answer.status, answer.received.length]).toEqual([401, 0]);
      }
    },
  );

  securityTest(
    {
      id: "F12",
      severity: "H",
      source: "forwardOriginalToken",
      mode: ["exact"],
      level: "envoy",
      title: "a token that is not to be forwarded reaches no upstream by header or query",
      outcome: "removed; a cookie stays, documented",
    },
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
    {
      id: "F14",
      severity: "H",
      source: "canary tokens",
      mode: ["exact"],
      level: "envoy",
      title: "no part of a token stands in an answer, a log line or a metric",
      outcome: "never",
    },
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
