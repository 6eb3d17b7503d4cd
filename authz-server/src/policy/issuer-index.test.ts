import fc from "fast-check";
import { expect, it } from "vitest";
import { authenticate } from "../authn/authenticate.ts";
import type { AuthnResult } from "../authn/authn-result.ts";
import { jwtRule, keySet, preparedRule, token, verificationKey } from "../authn/testdata/jwt-rule.ts";
import { TokenCache } from "../authn/token-cache.ts";
import { indexIssuers } from "./issuer-index.ts";

const KEYS = {
  good: keySet(verificationKey()),
  bad: keySet(verificationKey({ verifies: () => false })),
  unavailable: { ...keySet(), state: "unavailable" as const },
};
const rule = fc.record({
  fields: fc.record({
    issuer: fc.constantFrom("", "a", "b", "c"),
    audiences: fc.constantFrom([], ["x"]),
    presence: fc.constantFrom("OPTIONAL" as const, "OPTIONAL" as const, "REQUIRED" as const),
    forwardOriginalToken: fc.boolean(),
    invalid: fc.constantFrom("", "", "broken"),
    outputClaimToHeaders: fc.constantFrom([], [{ header: "x-sub", claim: ["iss"] }]),
  }),
  keys: fc.constantFrom("good" as const, "bad" as const, "bad" as const, "unavailable" as const),
});
const text = fc.oneof(
  fc.constant("nonsense"),
  fc
    .record({ iss: fc.constantFrom("a", "b", "d"), aud: fc.constantFrom("x", "y"), exp: fc.constantFrom(1, 9e9) })
    .map((claims) => token(claims)),
);

/** What a client can see of it: whether keys are there only counts where a signature could not be checked. */
function visible(result: AuthnResult): unknown {
  if (result.kind !== "rejected") return result;
  return { ...result, keysUnavailable: result.keysUnavailable && result.failure === "JwtVerificationFail" };
}

it("changes no answer, however many tokens there are", () => {
  let indexed = 0;
  const given = fc.record({
    rules: fc.array(rule, { minLength: 4, maxLength: 8, size: "max" }),
    bearer: fc.option(text, { freq: 5 }),
    param: fc.option(text, { freq: 1 }),
    requireExp: fc.boolean(),
  });
  fc.assert(
    fc.property(given, ({ rules: list, bearer, param, requireExp }) => {
      const rules = list
        .map(({ fields, keys }) => preparedRule(jwtRule(fields), KEYS[keys]))
        .toSorted((a, b) => (a.issuer < b.issuer ? -1 : Number(a.issuer > b.issuer)));
      const headers = bearer === null ? [] : [{ name: "authorization", value: `Bearer ${bearer}` }];
      const source = { headers, query: param === null ? "" : `access_token=${param}`, requireExp };
      const io = () => ({ cache: new TokenCache({ entries: 0, bytes: 0 }, () => undefined), now: () => 2e12 });
      const issuers = indexIssuers(rules);
      indexed += issuers === null ? 0 : 1;
      expect(visible(authenticate(rules, source, io(), issuers))).toEqual(visible(authenticate(rules, source, io())));
    }),
    { numRuns: 3000 },
  );
  expect(indexed).toBe(3000);
});

it("is not made for rules that look at different places", () => {
  const rules = ["a", "b", "c", "d"].map((issuer) => preparedRule(jwtRule({ issuer }), KEYS.good));
  const elsewhere = preparedRule(jwtRule({ locations: [{ kind: "cookie", name: "t" }] }), KEYS.good);
  expect(indexIssuers(rules)).not.toBeNull();
  expect(indexIssuers([...rules, elsewhere])).toBeNull();
});
