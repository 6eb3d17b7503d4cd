import { describe, expect } from "vitest";
import { createCheckHarness, translatePolicies } from "../support/check-harness.ts";
import { SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { lines } from "./fixtures/header-lines.ts";
import { authorization, from, GATEWAY, manifests, TO_APP, virtualService } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);

describe("who the peer is", () => {
  securityTest(
    attack("C15", "H", {
      source: "CVE-2024-45806",
      title: "x-forwarded-for counts only as far as proxies are trusted",
      outcome: "deny",
    }),
    async () => {
      const allow = authorization("allow-remote", "ALLOW", from({ remoteIpBlocks: ["10.0.0.0/8"] }));
      const routes = virtualService("all", [{ route: TO_APP }]);
      const peer = { sourceAddress: "203.0.113.7", gateways: GATEWAY };
      const asks = ["10.0.0.1", "10.0.0.1,203.0.113.7", "10.0.0.1,10.0.0.1", "10.0.0.1,8.8.8.8,203.0.113.7"].map(
        (value) => ({
          ...peer,
          headers: lines("x-forwarded-for", value),
        }),
      );
      for (const strictPaths of [false, true]) {
        const policies = manifests("httpbin", allow, routes);
        const untrusted = await createCheckHarness({ policies, settings: { strictPaths } });
        expect(await statusesOf(untrusted, asks)).toEqual([403, 403, 403, 403]);
        const meshConfig = "defaultConfig: { gatewayTopology: { numTrustedProxies: 1 } }";
        const trusted = await createCheckHarness({ policies, meshConfig, settings: { strictPaths } });
        // One proxy is trusted: the entry before the peer. What does not end in the peer was not written by Envoy.
        expect(await statusesOf(trusted, asks)).toEqual([403, 200, 403, 403]);
      }
    },
  );

  securityTest(
    attack("C16", "C", {
      source: "x-forwarded-client-cert",
      title: "a header says nothing about the peer's certificate",
      outcome: "deny",
    }),
    async () => {
      const allow = authorization("allow-peer", "ALLOW", from({ principals: ["cluster.local/ns/foo/sa/a"] }));
      const uri = "spiffe://cluster.local/ns/foo/sa/a";
      for (const mode of SERVER_MODES) {
        const server = await serverWith(mode, allow);
        const header = lines("x-forwarded-client-cert", `By=spiffe://x;URI=${uri}`);
        expect(await statusesOf(server, [{ headers: header }, { principal: uri }])).toEqual([403, 200]);
      }
    },
  );

  const NOT_PEERS = [
    { notPrincipals: ["cluster.local/ns/foo/sa/bad"] },
    { notNamespaces: ["bad"] },
    { notServiceAccounts: ["foo/bad"] },
    { notTrustDomains: ["bad"] },
  ];

  securityTest(
    attack("C17", "H", {
      mode: ["strict"],
      source: "ISTIO-SECURITY-2021-004",
      title: "a peer without certificate is not among everybody but a few",
      outcome: "deny",
    }),
    async () => {
      const good = "spiffe://cluster.local/ns/foo/sa/good";
      for (const source of NOT_PEERS) {
        const allow = authorization("allow-not", "ALLOW", from(source));
        expect(await statusesOf(await serverWith("strict", allow), [{}, { principal: good }])).toEqual([403, 200]);
        const deny = authorization("deny-not", "DENY", from(source));
        expect(await statusesOf(await serverWith("strict", deny), [{}, { principal: good }])).toEqual([403, 403]);
      }
    },
  );

  securityTest(
    attack("C17", "H", {
      level: "policy",
      mode: ["exact"],
      source: "ISTIO-SECURITY-2021-004",
      title: "a policy that lets in peers without certificate says so",
      outcome: "allowed as in Istio, with a warning in the status",
    }),
    async () => {
      for (const source of NOT_PEERS) {
        const allow = authorization("allow-not", "ALLOW", from(source));
        expect(await statusesOf(await serverWith("exact", allow), [{}])).toEqual([200]);
        const [translated] = translatePolicies(manifests("httpbin", allow));
        expect(translated?.report).toMatchObject({
          accepted: true,
          diagnostics: [{ reason: "Warning", path: "spec.rules[0].from[0].source" }],
        });
        const deny = authorization("deny-not", "DENY", from(source));
        expect(translatePolicies(manifests("httpbin", deny))[0]?.report.diagnostics).toEqual([]);
      }
    },
  );

  securityTest(
    attack("C18", "M", {
      source: "CVE-2020-16844",
      title: "a principal that begins with a star matches by its end",
      outcome: "deny",
    }),
    async () => {
      const deny = authorization("deny-suffix", "DENY", from({ principals: ["*/ns/ns1/sa/foo"] }));
      const accounts = [
        "cluster.local/ns/ns1/sa/foo",
        "other.domain/ns/ns1/sa/foo",
        "cluster.local/ns/ns1/sa/foobar",
        "cluster.local/ns/ns2/sa/foo",
      ];
      for (const mode of SERVER_MODES) {
        const asks = accounts.map((account) => ({ principal: `spiffe://${account}` }));
        expect(await statusesOf(await serverWith(mode, deny), asks)).toEqual([403, 403, 200, 200]);
      }
    },
  );
});
