import { describe, expect } from "vitest";
import { all, pathStatuses, SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { authorization, NOJWT, RA1, rawObject, to } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);

describe("the order of policies", () => {
  securityTest(
    attack("G01", "C", {
      source: "order of evaluation",
      title: "CUSTOM comes before DENY, DENY before ALLOW, and an ALLOW without rules allows nothing",
      outcome: "deny",
    }),
    async () => {
      const nothing = authorization("nothing", "ALLOW");
      const all = authorization("all", "ALLOW", {});
      const denyAdmin = authorization("deny-admin", "DENY", to({ paths: ["/admin"] }));
      const custom = rawObject(
        "AuthorizationPolicy",
        "custom",
        "{ action: CUSTOM, provider: { name: nobody }, rules: [{ to: [{ operation: { paths: [/custom] } }] }] }",
      );
      for (const mode of SERVER_MODES) {
        expect(await statusesOf(await serverWith(mode), [{}])).toEqual([200]);
        expect(await statusesOf(await serverWith(mode, nothing), [{}])).toEqual([403]);
        const paths = ["/admin", "/custom", "/other"].map((path) => ({ path }));
        expect(await statusesOf(await serverWith(mode, all, denyAdmin, custom), paths)).toEqual([403, 403, 200]);
        expect(await statusesOf(await serverWith(mode, nothing, all), [{}])).toEqual([200]);
      }
    },
  );

  securityTest(
    attack("G13", "H", {
      source: "the pattern of Istio's documents",
      title: "a DENY of all but one path without a token lets only that path through",
      outcome: "deny",
    }),
    async () => {
      const paths = ["/productpage", "/productpage/", "//productpage", "/admin", "/productpage/../admin"];
      for (const mode of SERVER_MODES) {
        expect(await pathStatuses(mode, [RA1, NOJWT], paths)).toEqual({ ...all(403, paths), "/productpage": 200 });
      }
    },
  );

  securityTest(
    attack("G16", "H", {
      source: "dry run",
      title: "a policy in dry-run or with AUDIT denies nothing, and nothing but `true` switches dry-run on",
      outcome: "logged, not enforced; enforced",
    }),
    async () => {
      const rules = "rules: [{ to: [{ operation: { paths: [/admin] } }] }]";
      const dryRun = (value: string) =>
        rawObject(
          "AuthorizationPolicy",
          "dry",
          `{ action: DENY, ${rules} }`,
          `, annotations: { istio.io/dry-run: "${value}" }`,
        );
      const audit = rawObject("AuthorizationPolicy", "audit", `{ action: AUDIT, ${rules} }`);
      for (const mode of SERVER_MODES) {
        const ask = [{ path: "/admin" }];
        expect(await statusesOf(await serverWith(mode, dryRun("true")), ask)).toEqual([200]);
        expect(await statusesOf(await serverWith(mode, audit), ask)).toEqual([200]);
        for (const typo of ["false", "yes", "tru", "true ", ""]) {
          expect([typo, await statusesOf(await serverWith(mode, dryRun(typo)), ask)]).toEqual([typo, [403]]);
        }
        const key = rawObject(
          "AuthorizationPolicy",
          "key",
          `{ action: DENY, ${rules} }`,
          `, annotations: { istio.io/dryrun: "true" }`,
        );
        expect(await statusesOf(await serverWith(mode, key), ask)).toEqual([403]);
      }
    },
  );
});
