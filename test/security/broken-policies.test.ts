import { describe, expect } from "vitest";
import { translatePolicies } from "../support/check-harness.ts";
import { all, pathStatuses, SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { authorization, DENY_ADMIN, manifests, rawObject, to } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("policy", SERVER_MODES);

describe("broken policies", () => {
  securityTest(
    attack("G02", "C", {
      source: "Istio drops bad rules",
      title: "one bad rule of a DENY takes nothing away from the others and denies more",
      outcome: "deny in its scope, Accepted=False",
    }),
    async () => {
      const good = to({ paths: ["/good"] });
      const bad = [
        { ...to({ paths: ["/bad"] }), when: [{ key: "request.nonsense", values: ["x"] }] },
        { ...to({ paths: ["/bad"] }), from: [{ source: { ipBlocks: ["no address"] } }] },
        { ...to({ paths: ["/bad"] }), when: [{ key: "request.auth.claims[a", values: ["x"] }] },
        to({ paths: ["/bad"], ports: ["eighty"] }),
      ];
      for (const rule of bad) {
        const deny = authorization("mixed", "DENY", good, rule);
        const allow = authorization("mixed", "ALLOW", good, rule);
        expect(translatePolicies(manifests("httpbin", deny))[0]?.report.accepted).toBe(false);
        for (const mode of SERVER_MODES) {
          expect(await pathStatuses(mode, [deny], ["/good", "/bad"])).toEqual(all(403, ["/good", "/bad"]));
          expect(await pathStatuses(mode, [allow], ["/good", "/bad"])).toEqual({ "/good": 200, "/bad": 403 });
        }
      }
    },
  );

  securityTest(
    attack("G03", "H", {
      source: "CVE-2026-53719",
      title: "null and absent parts of an object stop neither it nor its neighbours from being enforced",
      outcome: "the neighbours are enforced",
    }),
    async () => {
      const specs = [
        "{ action: DENY, rules: [null] }",
        "{ action: DENY, rules: [{ from: [{}] }] }",
        "{ action: DENY, rules: [{ from: [null], to: [{ operation: null }] }] }",
        "{ action: DENY, rules: [{ to: [{ operation: { paths: null } }], when: [null] }] }",
        "{ action: ALLOW, rules: [{ when: null, from: null, to: null }] }",
        "{ selector: null, rules: null }",
        "null",
        "[]",
      ];
      const kinds = ["AuthorizationPolicy", "RequestAuthentication", "VirtualService"];
      for (const spec of [
        ...specs,
        "{ jwtRules: [null] }",
        "{ jwtRules: [{ fromHeaders: [null] }] }",
        "{ hosts: [null], http: [null] }",
      ]) {
        for (const kind of kinds) {
          const server = await serverWith("exact", DENY_ADMIN, rawObject(kind, "odd", spec));
          const [status = 0] = await statusesOf(server, [{ path: "/admin" }]);
          expect([kind, spec, status]).toEqual([kind, spec, 403]);
        }
      }
    },
  );

  securityTest(
    attack("G18", "H", {
      source: "fields and values of newer versions",
      title: "an object with a field or a value that is not known is not enforced without it",
      outcome: "Accepted=False, fails closed",
    }),
    async () => {
      const deny = "{ action: DENY, rules: [{ to: [{ operation: { paths: [/other], newField: [x] } }] }] }";
      const allow = "{ action: ALLOW, rules: [{ to: [{ operation: { paths: [/x], newField: [x] } }] }] }";
      const action = "{ action: CHALLENGE, rules: [{ to: [{ operation: { paths: [/x] } }] }] }";
      for (const spec of [deny, allow, action]) {
        const text = rawObject("AuthorizationPolicy", "newer", spec);
        expect([spec, translatePolicies(text)[0]?.report.accepted]).toEqual([spec, false]);
        for (const mode of SERVER_MODES) {
          expect([spec, await statusesOf(await serverWith(mode, text), [{ path: "/x" }])]).toEqual([spec, [403]]);
        }
      }
    },
  );

  securityTest(
    attack("G19", "H", {
      source: "YAML's types",
      title: "a value of another type is no value",
      outcome: "Accepted=False, fails closed",
    }),
    async () => {
      const specs = [
        "{ action: ALLOW, rules: [{ to: [{ operation: { paths: /x } }] }] }",
        "{ action: ALLOW, rules: [{ to: [{ operation: { ports: [8080] } }] }] }",
        '{ action: ALLOW, rules: [{ when: [{ key: "request.headers[x]", values: [true, 1] }] }] }',
        "{ action: ALLOW, rules: { to: [] } }",
        "{ action: ALLOW, selector: { matchLabels: { app: 1 } }, rules: [{}] }",
      ];
      for (const spec of specs) {
        const text = rawObject("AuthorizationPolicy", "juggled", spec);
        expect([spec, translatePolicies(text)[0]?.report.accepted]).toEqual([spec, false]);
        const asks = [{ path: "/x", headers: [["x", "true"]] as const }];
        expect([spec, await statusesOf(await serverWith("exact", text), asks)]).toEqual([spec, [403]]);
      }
    },
  );
});
