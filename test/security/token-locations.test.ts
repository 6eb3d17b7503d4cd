import { beforeAll, describe, expect } from "vitest";
import { mintTestToken, mintToken } from "../support/jwt.ts";
import type { HeaderLine } from "../support/raw-http.ts";
import { SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { ANYJWT, NOJWT, RA1, RA2, requestAuthentication } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);

const SOURCE = "Envoy's token extraction";
const BAD = "e30.e30.AA";

/** A request with this Authorization header. */
function authorized(value: string): { readonly headers: readonly HeaderLine[] } {
  return { headers: [["authorization", value]] };
}

function toPath(path: string): { readonly path: string } {
  return { path };
}

describe("one request", () => {
  let good: string;
  beforeAll(async () => {
    good = await mintTestToken();
  });

  securityTest(
    attack("F01", "H", {
      source: SOURCE,
      title: "a scheme in lower case is no token, and no token gives no rights",
      outcome: "not seen, as Envoy; deny where a token is required",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
        const asks = [authorized(`bearer ${BAD}`), authorized(`bearer ${good}`), authorized(`BEARER ${good}`)];
        expect(await statusesOf(await serverWith(mode, RA1), asks)).toEqual([200, 200, 200]);
        expect(await statusesOf(await serverWith(mode, RA1, ANYJWT), asks)).toEqual([403, 403, 403]);
      }
    },
  );

  securityTest(
    attack("F02", "M", { source: SOURCE, title: "other credentials are no token", outcome: "treated as missing" }),
    async () => {
      for (const mode of SERVER_MODES) {
        const asks = ["Basic abc", "Bearer", `Bearer\t${good}`, `Bearer${good}`, ""].map(authorized);
        expect(await statusesOf(await serverWith(mode, RA1), asks)).toEqual(asks.map(() => 200));
        expect(await statusesOf(await serverWith(mode, RA1, ANYJWT), asks)).toEqual(asks.map(() => 403));
      }
    },
  );

  securityTest(
    attack("F03", "H", {
      source: SOURCE,
      title: "a token may stand anywhere in the value, and then it counts",
      outcome: "401",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
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
    attack("F05", "H", {
      source: SOURCE,
      title: "of a token in the header and one in the query both must verify",
      outcome: "401",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
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
    attack("F06", "H", {
      source: SOURCE,
      title: "of several tokens in the query each must verify",
      outcome: "401, stricter than Envoy",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
        const server = await serverWith(mode, RA1);
        const paths = [
          `/?access_token=${good}&access_token=${BAD}`,
          `/?access_token=${BAD}&access_token=${good}`,
          `/?access_token=${good}`,
        ];
        expect(await statusesOf(server, paths.map(toPath))).toEqual([401, 401, 200]);
      }
    },
  );

  securityTest(
    attack("F07", "M", { source: SOURCE, title: "an empty token in the query is a token", outcome: "401" }),
    async () => {
      for (const mode of SERVER_MODES) {
        const paths = ["/?access_token=", "/?access_token", "/?a=b&access_token=&c=d"];
        expect(await statusesOf(await serverWith(mode, RA1), paths.map(toPath))).toEqual([401, 401, 401]);
      }
    },
  );

  securityTest(
    attack("F08", "H", {
      source: SOURCE,
      title: "a token counts only where the rule looks, and the usual places are off once any is named",
      outcome: "ignored elsewhere",
    }),
    async () => {
      const custom = requestAuthentication("custom", {
        fromHeaders: [{ name: "x-token", prefix: "Token " }],
        fromCookies: ["session"],
        fromParams: ["jwt"],
      });
      for (const mode of SERVER_MODES) {
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
    attack("F09", "H", {
      source: SOURCE,
      title: "with two issuers at one header a token of neither is no token of somebody",
      outcome: "401",
    }),
    async () => {
      const other = await mintToken({ iss: "other@secure.istio.io", sub: "o", exp: 4_102_444_800 }, { alg: "ES384" });
      const stranger = await mintToken({ iss: "stranger", sub: "s", exp: 4_102_444_800 });
      // Signed by the first issuer's key in the name of the second.
      const crossed = await mintToken({ iss: "other@secure.istio.io", sub: "o", exp: 4_102_444_800 });
      for (const mode of SERVER_MODES) {
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
    attack("F10", "M", {
      source: "bypass_cors_preflight",
      title: "a preflight skips tokens, never policies",
      outcome: "as Istio; deny where a policy denies",
    }),
    async () => {
      const preflight = { method: "OPTIONS", token: BAD, headers: PREFLIGHT };
      for (const mode of SERVER_MODES) {
        expect(await statusesOf(await serverWith(mode, RA1), [preflight])).toEqual([200]);
        expect(
          await statusesOf(await serverWith(mode, RA1, ANYJWT), [preflight, { ...preflight, token: good }]),
        ).toEqual([403, 403]);
        expect(await statusesOf(await serverWith(mode, RA1, NOJWT), [preflight])).toEqual([403]);
      }
    },
  );

  securityTest(
    attack("F11", "H", {
      source: "bypass_cors_preflight",
      title: "what is no preflight does not skip tokens",
      outcome: "401",
    }),
    async () => {
      const [origin, asked] = PREFLIGHT;
      if (origin === undefined || asked === undefined) throw new Error("no preflight headers");
      const empty: HeaderLine = ["origin", ""];
      for (const mode of SERVER_MODES) {
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
    attack("F13", "M", {
      source: SOURCE,
      title: "an escaped name of a parameter is the name, an escaped token is the token",
      outcome: "401 for a bad one, as Envoy",
    }),
    async () => {
      const escaped = good.replace(/[aQ]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
      expect(escaped).not.toBe(good);
      for (const mode of SERVER_MODES) {
        const server = await serverWith(mode, RA1, ANYJWT);
        const paths = [
          `/?access%5Ftoken=${BAD}`,
          `/?%61ccess_token=${BAD}`,
          `/?access_token=${escaped}`,
          `/?access%5ftoken=${good}`,
        ];
        expect(await statusesOf(server, paths.map(toPath))).toEqual([401, 401, 200, 200]);
        // Found under an escaped name, removed under it.
        expect((await server.check({ path: `/x?a=b&access%5ftoken=${good}&c=d` })).set.get(":path")).toBe("/x?a=b&c=d");
      }
    },
  );
});
