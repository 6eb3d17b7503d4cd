import { describe, expect } from "vitest";
import { createCheckHarness, translatePolicies } from "../support/check-harness.ts";
import { mintToken } from "../support/jwt.ts";
import type { HeaderLine } from "../support/raw-http.ts";
import { serverWith, statusesOf } from "./fixtures/check.ts";
import {
  authorization,
  from,
  GATEWAY,
  HDR_D,
  HDR_N,
  manifests,
  RA1_OUT,
  RA2,
  requestAuthentication,
  TO_APP,
  virtualService,
} from "./fixtures/policies.ts";
import { securityTest } from "./register.ts";

/** Lines of one name. */
function lines(name: string, ...values: readonly string[]): readonly HeaderLine[] {
  return values.map((value) => [name, value]);
}

function otherIssuersToken(): Promise<string> {
  const claims = { iss: "other@secure.istio.io", sub: "o", exp: 4_102_444_800 };
  return mintToken(claims, { alg: "ES384" });
}

describe("one request", () => {
  securityTest(
    {
      id: "C03",
      severity: "M",
      source: "Envoy's header matcher",
      mode: ["exact", "strict"],
      level: "check",
      title: "one line is one value, whatever commas it holds; where Envoy joined the lines, nothing is guessed",
      outcome: "no match; deny without encode_raw_headers",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, HDR_D);
        const headers = lines("x-role", "user,admin");
        expect(
          await statusesOf(server, [{ headers }, { headers, joinedHeaders: true }, { joinedHeaders: true }]),
        ).toEqual([200, 403, 403]);
      }
    },
  );

  securityTest(
    {
      id: "C04",
      severity: "C",
      source: "CVE-2021-32777, CVE-2020-25017",
      mode: ["exact", "strict"],
      level: "check",
      title: "a forbidden value counts in every line of a header",
      outcome: "deny",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        for (const values of [
          ["admin", "a", "b"],
          ["a", "admin", "b"],
          ["a", "b", "admin"],
        ]) {
          expect(await statusesOf(await serverWith(mode, HDR_D), [{ headers: lines("x-role", ...values) }])).toEqual([
            403,
          ]);
        }
        for (const values of [
          ["guest", "a", "b"],
          ["a", "guest", "b"],
          ["a", "b", "guest"],
        ]) {
          expect(await statusesOf(await serverWith(mode, HDR_N), [{ headers: lines("x-role", ...values) }])).toEqual([
            403,
          ]);
        }
      }
    },
  );

  securityTest(
    {
      id: "C06",
      severity: "H",
      source: "CVE-2019-9900",
      mode: ["exact", "strict"],
      level: "check",
      title: "a NUL anywhere in a request does not hide what comes after it",
      outcome: "400",
    },
    async () => {
      const allow = authorization("allow-admin", "ALLOW", {
        when: [{ key: "request.headers[x-role]", values: ["admin"] }],
      });
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, allow);
        const open = await serverWith(mode, authorization("open", "ALLOW", {}));
        const values = ["admin\0", "admin\0guest", "\0admin", "\0"];
        const requests = [
          ...values.map((value) => ({ headers: lines("x-role", value) })),
          ...values.map((value) => ({ headers: lines("x-role", value), joinedHeaders: true })),
          ...values.map((name) => ({ headers: lines(name, "admin") })),
          { method: "GET\0" },
          { path: "/a\0" },
          { host: "httpbin.foo\0.evil" },
        ];
        for (const asked of [server, open]) expect(await statusesOf(asked, requests)).toEqual(requests.map(() => 400));
        // A 0 elsewhere in the message is no NUL: the empty value of an entry, a port.
        const fine = { headers: lines("x-role", "admin"), contextExtensions: { empty: "" } };
        expect(await statusesOf(server, [fine, { headers: lines("x-role", "") }])).toEqual([200, 403]);
      }
    },
  );

  securityTest(
    {
      id: "C07",
      severity: "C",
      source: "CVE-2026-73552",
      mode: ["exact", "strict"],
      level: "check",
      title: "bytes that are no UTF-8 do not hide a header from a route's regular expression",
      outcome: "match; deny without encode_raw_headers",
    },
    async () => {
      const routes = virtualService("by-header", [
        { match: [{ headers: { "x-role": { regex: "admin.*" } } }], directResponse: { status: 403 } },
        { route: TO_APP },
      ]);
      const value = Buffer.from([...Buffer.from("admin"), 0xff]);
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, routes);
        const spoofed = { headers: [["x-role", value]] as const, gateways: GATEWAY };
        expect(
          await statusesOf(server, [spoofed, { gateways: GATEWAY }, { gateways: GATEWAY, joinedHeaders: true }]),
        ).toEqual([403, 200, 403]);
      }
    },
  );

  securityTest(
    {
      id: "C08",
      severity: "M",
      source: "presence",
      mode: ["exact", "strict"],
      level: "check",
      title: "an empty header is there",
      outcome: "match, as Envoy",
    },
    async () => {
      const deny = authorization("deny-present", "DENY", { when: [{ key: "request.headers[x-role]", values: ["*"] }] });
      for (const mode of ["exact", "strict"] as const) {
        expect(await statusesOf(await serverWith(mode, deny), [{ headers: lines("x-role", "") }, {}])).toEqual([
          403, 200,
        ]);
      }
    },
  );

  securityTest(
    {
      id: "C09",
      severity: "M",
      source: "names of headers",
      mode: ["exact", "strict"],
      level: "check",
      title: "a header's name in a policy is the same in any case",
      outcome: "deny",
    },
    async () => {
      const deny = authorization("deny-cased", "DENY", {
        when: [{ key: "request.headers[X-Role]", values: ["admin"] }],
      });
      const out = requestAuthentication("cased", { outputClaimToHeaders: [{ header: "X-Jwt-Sub", claim: "sub" }] });
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, deny, out);
        expect(await statusesOf(server, [{ headers: lines("x-role", "admin") }])).toEqual([403]);
        expect((await server.check({ headers: lines("x-jwt-sub", "admin") })).removed).toEqual(["x-jwt-sub"]);
      }
    },
  );

  securityTest(
    {
      id: "C13",
      severity: "H",
      source: "Envoy's jwt_authn, fix of 2026",
      mode: ["exact", "strict"],
      level: "check",
      title: "spoofed output headers go on every way that lets a request through",
      outcome: "removed",
    },
    async () => {
      const spoofed = [...lines("x-jwt-sub", "admin"), ...lines("x_jwt_payload", "e30")];
      const preflight = {
        method: "OPTIONS",
        headers: [...spoofed, ...lines("origin", "http://a"), ...lines("access-control-request-method", "GET")],
      };
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, RA1_OUT, RA2);
        const ways = [{ headers: spoofed }, { headers: spoofed, token: await otherIssuersToken() }, preflight];
        for (const way of ways) {
          const answer = await server.check(way);
          expect([answer.status, answer.removed.toSorted()]).toEqual([
            200,
            expect.arrayContaining(["x-jwt-sub", "x_jwt_payload"]),
          ]);
          expect([...answer.set.keys()]).toEqual([]);
        }
      }
    },
  );

  securityTest(
    {
      id: "C14",
      severity: "C",
      source: "ISTIO-SECURITY-2020-002",
      mode: ["exact", "strict"],
      level: "check",
      title: "a request that still carries one of our own headers is not served",
      outcome: "deny",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode);
        const names = [
          "x-gatehouse-cluster",
          "x-gatehouse-route",
          "x_gatehouse_route",
          "x-gatehouse_x",
          "x-gatehouse-",
        ];
        expect(
          await statusesOf(
            server,
            names.map((name) => ({ headers: lines(name, "a") })),
          ),
        ).toEqual(names.map(() => 403));
      }
    },
  );

  securityTest(
    {
      id: "C15",
      severity: "H",
      source: "CVE-2024-45806",
      mode: ["exact", "strict"],
      level: "check",
      title: "x-forwarded-for counts only as far as proxies are trusted",
      outcome: "deny",
    },
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
    {
      id: "C16",
      severity: "C",
      source: "x-forwarded-client-cert",
      mode: ["exact", "strict"],
      level: "check",
      title: "a header says nothing about the peer's certificate",
      outcome: "deny",
    },
    async () => {
      const allow = authorization("allow-peer", "ALLOW", from({ principals: ["cluster.local/ns/foo/sa/a"] }));
      const uri = "spiffe://cluster.local/ns/foo/sa/a";
      for (const mode of ["exact", "strict"] as const) {
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
    {
      id: "C17",
      severity: "H",
      source: "ISTIO-SECURITY-2021-004",
      mode: ["strict"],
      level: "check",
      title: "a peer without certificate is not among everybody but a few",
      outcome: "deny",
    },
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
    {
      id: "C17",
      severity: "H",
      source: "ISTIO-SECURITY-2021-004",
      mode: ["exact"],
      level: "policy",
      title: "a policy that lets in peers without certificate says so",
      outcome: "allowed as in Istio, with a warning in the status",
    },
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
    {
      id: "C18",
      severity: "M",
      source: "CVE-2020-16844",
      mode: ["exact", "strict"],
      level: "check",
      title: "a principal that begins with a star matches by its end",
      outcome: "deny",
    },
    async () => {
      const deny = authorization("deny-suffix", "DENY", from({ principals: ["*/ns/ns1/sa/foo"] }));
      const accounts = [
        "cluster.local/ns/ns1/sa/foo",
        "other.domain/ns/ns1/sa/foo",
        "cluster.local/ns/ns1/sa/foobar",
        "cluster.local/ns/ns2/sa/foo",
      ];
      for (const mode of ["exact", "strict"] as const) {
        const asks = accounts.map((account) => ({ principal: `spiffe://${account}` }));
        expect(await statusesOf(await serverWith(mode, deny), asks)).toEqual([403, 403, 200, 200]);
      }
    },
  );

  securityTest(
    {
      id: "C19",
      severity: "M",
      source: "CVE-2019-15226",
      mode: ["exact", "strict"],
      level: "check",
      title: "ten thousand headers cost time in proportion to their number",
      outcome: "an answer at once",
    },
    async () => {
      const many = Array.from({ length: 10_000 }, (_, i): HeaderLine => [`h${i}`, "a"]);
      const same = lines("x-role", ...Array.from({ length: 10_000 }, () => "user"));
      const reserved = lines("x-jwt-sub", ...Array.from({ length: 10_000 }, () => "a"));
      const forwarded = lines("x-forwarded-for", ...Array.from({ length: 10_000 }, () => "1"));
      const cookies = lines("cookie", ";".repeat(60_000), "a=b;".repeat(15_000));
      const cookieToken = requestAuthentication("cookie", { fromCookies: ["token"] });
      const server = await serverWith("strict", RA1_OUT, cookieToken, HDR_D, HDR_N);
      const startedMs = performance.now();
      const asks = [many, same, reserved, forwarded, cookies].map((headers) => ({ headers }));
      expect(await statusesOf(server, asks)).toEqual([200, 200, 200, 200, 200]);
      // A tenth of a second; a hundred million steps would take many.
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    },
  );

  securityTest(
    {
      id: "C21",
      severity: "M",
      source: "JavaScript: prototypes",
      mode: ["exact", "strict"],
      level: "check",
      title: "names of Object.prototype are names like others",
      outcome: "no match unless they were sent",
    },
    async () => {
      const names = ["__proto__", "constructor", "tostring", "hasownproperty"];
      for (const name of names) {
        const deny = authorization("deny-name", "DENY", { when: [{ key: `request.headers[${name}]`, values: ["*"] }] });
        const places = requestAuthentication("places", {
          fromCookies: [name],
          fromParams: [name],
          fromHeaders: [{ name }],
        });
        const server = await serverWith("strict", deny);
        expect(
          await statusesOf(server, [{}, { headers: [[name, "x"]] }, { headers: [["cookie", `${name}=1`]] }]),
        ).toEqual([200, 403, 200]);
        const authn = await serverWith("strict", places);
        const asks = [
          {},
          { headers: [["cookie", `${name}=bad`]] as const },
          { path: `/?${name}=bad` },
          { headers: [[name, "bad"]] as const },
        ];
        expect(await statusesOf(authn, asks)).toEqual([200, 401, 401, 401]);
      }
    },
  );
});
