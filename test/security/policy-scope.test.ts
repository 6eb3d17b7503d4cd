import { describe, expect } from "vitest";
import { createCheckHarness } from "../support/check-harness.ts";
import { SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { authorization, from, rawObject, to } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);

describe("whom a policy is for", () => {
  securityTest(
    attack("G04", "H", {
      source: "CVE-2026-39350",
      title: "a dot or a bracket in an identity is itself",
      outcome: "no match",
    }),
    async () => {
      const rules = [
        { namespaces: ["a.b"] },
        { serviceAccounts: ["foo/a.b"] },
        { principals: ["cluster.local/ns/foo/sa/a.b"] },
        { principals: ["*/ns/foo/sa/a.b"] },
        { principals: ["cluster.local/ns/a.b*"] },
        { trustDomains: ["a.b"] },
        { trustDomains: ["*a.b"] },
      ];
      const axb = [
        "cluster.local/ns/axb/sa/d",
        "cluster.local/ns/foo/sa/axb",
        "axb/ns/foo/sa/d",
        "clusterxlocal/ns/foo/sa/a.b",
      ];
      for (const mode of SERVER_MODES) {
        for (const source of rules) {
          const server = await serverWith(mode, authorization("dots", "ALLOW", from(source)));
          const statuses = await statusesOf(
            server,
            axb.slice(0, 3).map((peer) => ({ principal: `spiffe://${peer}` })),
          );
          expect([source, statuses]).toEqual([source, [403, 403, 403]]);
        }
        const exact = await serverWith(
          mode,
          authorization("dots", "ALLOW", from({ principals: ["cluster.local/ns/foo/sa/a.b"] })),
        );
        expect(
          await statusesOf(exact, [
            { principal: `spiffe://${axb[3]}` },
            { principal: "spiffe://cluster.local/ns/foo/sa/a.b" },
          ]),
        ).toEqual([403, 200]);
      }
    },
  );

  securityTest(
    attack("G12", "M", {
      source: "ISTIO-SECURITY-2021-002",
      title: "`ports` are the listener's port, whatever the Host header says",
      outcome: "deny by the port that Envoy reports",
    }),
    async () => {
      const deny = authorization("deny-port", "DENY", to({ ports: ["9000"] }));
      for (const mode of SERVER_MODES) {
        const asks = [
          { destinationPort: 9000 },
          { destinationPort: 9000, host: "a:80" },
          { destinationPort: 80, host: "a:9000" },
        ];
        expect(await statusesOf(await serverWith(mode, deny), asks)).toEqual([403, 403, 200]);
      }
    },
  );

  securityTest(
    attack("G17", "M", {
      source: "selectors",
      title: "a policy is for the workloads that it selects, and who can't say who it is gets nothing",
      outcome: "as Istio; deny without identity",
    }),
    async () => {
      const deny = "action: DENY, rules: [{}]";
      const root = (spec: string) =>
        rawObject("AuthorizationPolicy", "root", spec).replace("namespace: foo", "namespace: istio-system");
      const statuses = async (policy: string) =>
        statusesOf(await serverWith("exact", policy), [{}, { labels: "app=other" }, { namespace: "bar" }]);
      expect(await statuses(rawObject("AuthorizationPolicy", "whole", `{ ${deny} }`))).toEqual([403, 403, 200]);
      expect(await statuses(rawObject("AuthorizationPolicy", "empty", `{ selector: {}, ${deny} }`))).toEqual([
        403, 403, 200,
      ]);
      expect(
        await statuses(
          rawObject("AuthorizationPolicy", "some", `{ selector: { matchLabels: { app: httpbin } }, ${deny} }`),
        ),
      ).toEqual([403, 200, 200]);
      expect(await statuses(root(`{ ${deny} }`))).toEqual([403, 403, 403]);
      expect(await statuses(root(`{ selector: { matchLabels: { app: httpbin } }, ${deny} }`))).toEqual([403, 200, 403]);
      const targetRefs = "targetRefs: [{ group: gateway.networking.k8s.io, kind: Gateway, name: g }]";
      expect(await statuses(rawObject("AuthorizationPolicy", "refs", `{ ${targetRefs}, ${deny} }`))).toEqual([
        200, 200, 200,
      ]);
      const open = await serverWith("exact");
      const odd = [
        { namespace: "" },
        { namespace: "Foo" },
        { namespace: "foo/bar" },
        { namespace: "__proto__" },
        { labels: "app" },
        { labels: "=x" },
        { gateways: "nonsense" },
      ];
      expect(await statusesOf(open, odd)).toEqual(odd.map(() => 403));
    },
  );
});

describe("many policies", () => {
  securityTest(
    attack("G20", "M", {
      source: "worst case of evaluation",
      title:
        "ten thousand rules cost a request nothing if they are others', and little if all of them have to be asked",
      outcome: "an answer at once",
    }),
    async () => {
      const rules = (i: number) =>
        [0, 1, 2, 3, 4].map((j) => `{ to: [{ operation: { paths: [/p${i}-${j}] } }] }`).join();
      const policies = Array.from({ length: 2_000 }, (_, i) => {
        const app = i < 1_000 ? "httpbin" : "other";
        return rawObject(
          "AuthorizationPolicy",
          `p${i}`,
          `{ selector: { matchLabels: { app: ${app} } }, action: DENY, rules: [${rules(i)}] }`,
        );
      });
      const server = await createCheckHarness({ policies: policies.join("---\n") });
      expect(await statusesOf(server, [{ path: "/p999-4" }, { path: "/p1000-0" }, { path: "/other" }])).toEqual([
        403, 200, 200,
      ]);
      const startedMs = performance.now();
      for (let i = 0; i < 100; i++) await server.check({ path: "/other" });
      // A millisecond each; five would still pass on a machine that is busy elsewhere.
      expect(performance.now() - startedMs).toBeLessThan(1_500);
    },
    60_000,
  );
});
