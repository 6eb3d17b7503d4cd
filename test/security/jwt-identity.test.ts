import { describe, expect } from "vitest";
import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { claimStatuses, same, serverAtNow, tokenServer, tokenStatuses } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { ANYJWT, authorizationPolicy, forge, requestAuthentication } from "./token-forge.ts";

const attack = attacksAt("token");

describe("issuer, subject, audience", () => {
  securityTest(
    attack("E09", "C", { source: "issuer checks", title: "iss missing, a list, nearly right", outcome: "401" }),
    async () => {
      const issuers = [
        ...[undefined, null, 1, {}, [TEST_ISSUER], "", "other"],
        ...[`${TEST_ISSUER}/`, `${TEST_ISSUER} `, `${TEST_ISSUER}\u0000`, TEST_ISSUER.toUpperCase(), ` ${TEST_ISSUER}`],
      ];
      const claims = issuers.map((iss) => ({ iss }));
      expect(await claimStatuses(await tokenServer(), claims)).toEqual(same(401, claims));
    },
  );

  securityTest(
    attack("E10", "C", {
      source: "CVE-2021-21378",
      title: "a token of an issuer that nobody configured, and no AuthorizationPolicy",
      outcome: "401, never as if there were no token",
    }),
    async () => {
      const harness = await tokenServer();
      const foreign = forge({ claims: { iss: "evil" } });
      expect(
        await tokenStatuses(harness, [foreign, forge({ key: "rogue-rsa-2048", claims: { iss: "evil" } })]),
      ).toEqual([401, 401]);
      expect((await harness.check()).status).toBe(200);
    },
  );

  securityTest(
    attack("E11", "H", { source: "types of claims", title: "sub or jti that is no text", outcome: "401" }),
    async () => {
      const claims = [1, null, {}, [], true].flatMap((value) => [{ sub: value }, { jti: value }]);
      expect(await claimStatuses(await tokenServer(), claims)).toEqual(same(401, claims));
    },
  );

  securityTest(
    attack("E12", "H", {
      source: "empty principals",
      title: "a request principal without subject under requestPrincipals [*]",
      outcome: "403",
    }),
    async () => {
      const claims = [{ sub: undefined }, { sub: "" }, { sub: "a\nb" }, { sub: "\n" }];
      expect(await claimStatuses(await tokenServer(ANYJWT), claims)).toEqual(same(403, claims));
      expect(await claimStatuses(await tokenServer(ANYJWT), [{}])).toEqual([200]);
    },
  );

  securityTest(
    attack("E13", "H", {
      source: "ambiguous principals",
      title: "issuer a, subject b/c against the principal a/b/c",
      outcome: "403: issuer and subject are compared apart",
    }),
    async () => {
      const policy = authorizationPolicy("p", 'rules: [{ from: [{ source: { requestPrincipals: ["a/b/c"] } }] }]');
      const rule = requestAuthentication(publicJwks()).replace(`issuer: ${TEST_ISSUER}`, "issuer: a");
      const other = rule.replace("name: ra1", "name: ra2").replace("issuer: a", "issuer: a/b");
      const harness = await serverAtNow(rule + other + policy);
      expect(
        await claimStatuses(harness, [
          { iss: "a", sub: "b/c" },
          { iss: "a/b", sub: "c" },
        ]),
      ).toEqual([403, 200]);
    },
  );

  securityTest(
    attack("E14", "H", {
      source: "types of claims",
      title: "aud that is neither text nor list of texts",
      outcome: "401",
    }),
    async () => {
      const claims = [{}, { x: 1 }, ["a", 1], [["a"]], 1, true, null, [null]].map((aud) => ({ aud }));
      expect(await claimStatuses(await tokenServer(), claims)).toEqual(same(401, claims));
    },
  );

  securityTest(
    attack("E15", "H", {
      source: "audience checks",
      title: "audiences that are missing, near or several",
      outcome: "403; accepted only where the list holds it",
    }),
    async () => {
      const harness = await tokenServer("", "      audiences: [x]");
      const refused = [undefined, [], "X", "x ", " x", "", "xx", ["X"], "y"].map((aud) => ({ aud }));
      expect(await claimStatuses(harness, refused)).toEqual(same(403, refused));
      expect(await claimStatuses(harness, [{ aud: ["y", "x"] }, { aud: "x" }])).toEqual([200, 200]);
    },
  );
});
