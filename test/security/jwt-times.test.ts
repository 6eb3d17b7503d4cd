import { describe, expect } from "vitest";
import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { claimStatuses, same, serverAtNow, tokenServer, tokenStatuses } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import { forge, NOW_SEC, requestAuthentication } from "./token-forge.ts";

const attack = attacksAt("token");

/** A value as the only claim besides issuer and subject: `exp` is what is tested. */
function withExp(text: string): string {
  return forge({ payload: `{"iss":"${TEST_ISSUER}","sub":"s","exp":${text}}` });
}

const WITHOUT_EXP = forge({ payload: `{"iss":"${TEST_ISSUER}","sub":"s"}` });

describe("times", () => {
  securityTest(
    attack("E01", "H", {
      source: "parity",
      title: "a token without exp",
      outcome: "accepted, as in Istio; a metric counts it",
    }),
    async () => {
      const gate = await tokenServer();
      const count = async () => /^gatehouse_authz_tokens_without_exp_total (\d+)/m.exec(await gate.metrics())?.[1];
      expect(await tokenStatuses(gate, [forge(), withExp("1")])).toEqual([200, 401]);
      expect(await count()).toBe("0");
      expect(await tokenStatuses(gate, [WITHOUT_EXP, WITHOUT_EXP])).toEqual([200, 200]);
      expect(await count()).toBe("2");
    },
  );

  securityTest(
    attack("E01", "H", { source: "parity", title: "a token without exp, under requireExp", outcome: "401" }),
    async () => {
      const settings = { requireExp: true };
      const gate = await serverAtNow(requestAuthentication(publicJwks()), { settings });
      const answer = await gate.check({ token: WITHOUT_EXP });
      expect(answer).toMatchObject({ status: 401, body: "Jwt payload [exp] field is required" });
      expect(answer.headers.get("www-authenticate")).toMatch(/ error="invalid_token"$/);
      expect(await tokenStatuses(gate, [forge()])).toEqual([200]);
    },
  );

  securityTest(
    attack("E02", "H", {
      source: "Envoy reads 0 as unset",
      title: "exp: 0 as a token that never expires",
      outcome: "401",
    }),
    async () => {
      expect(await tokenStatuses(await tokenServer(), [withExp("0"), withExp("0.0"), withExp("-0")])).toEqual([
        401, 401, 401,
      ]);
    },
  );

  securityTest(
    attack("E03", "M", {
      source: "clock skew",
      title: "an expired token within and past the leeway",
      outcome: "accepted up to 60 s after exp, then 401",
    }),
    async () => {
      const ages = [30, 60, 61, 90];
      const claims = ages.map((age) => ({ exp: NOW_SEC - age }));
      expect(await claimStatuses(await tokenServer(), claims)).toEqual([200, 200, 401, 401]);
    },
  );

  securityTest(
    attack("E04", "M", {
      source: "clock skew",
      title: "a token that is not valid yet, within and past the leeway",
      outcome: "accepted from 60 s before nbf on",
    }),
    async () => {
      const claims = [30, 60, 61, 90].map((ahead) => ({ nbf: NOW_SEC + ahead }));
      expect(await claimStatuses(await tokenServer(), claims)).toEqual([200, 200, 401, 401]);
    },
  );

  securityTest(
    attack("E05", "H", { source: "types of claims", title: "exp that is no number", outcome: "401" }),
    async () => {
      const values = [`${NOW_SEC + 60}`, null, true, {}, [], [NOW_SEC + 60], ""];
      const claims = values.flatMap((value) => [{ exp: value }, { nbf: value }, { iat: value }]);
      expect(await claimStatuses(await tokenServer(), claims)).toEqual(same(401, claims));
    },
  );

  securityTest(
    attack("E06", "H", { source: "JSON numbers", title: "an infinite exp (1e400)", outcome: "401" }),
    async () => {
      const texts = ["1e400", "9e999", "-1e400", "Infinity", "NaN", "1e309"];
      expect(await tokenStatuses(await tokenServer(), texts.map(withExp))).toEqual(same(401, texts));
    },
  );

  securityTest(
    attack("E07", "M", {
      source: "64-bit bounds",
      title: "exp of 1e19, 1e30, -1, a fraction",
      outcome: "as Envoy: accepted, 401, 401, accepted",
    }),
    async () => {
      const texts = ["1e19", "1e30", "-1", `${NOW_SEC}.5`, "18446744073709551615", "18446744073709551616", "-0.5"];
      expect(await tokenStatuses(await tokenServer(), texts.map(withExp))).toEqual([200, 401, 401, 200, 401, 401, 401]);
    },
  );

  securityTest(
    attack("E08", "L", { source: "parity", title: "iat in the future, iat as a text", outcome: "accepted; 401" }),
    async () => {
      expect(await claimStatuses(await tokenServer(), [{ iat: NOW_SEC + 9999 }, { iat: `${NOW_SEC}` }])).toEqual([
        200, 401,
      ]);
    },
  );
});
