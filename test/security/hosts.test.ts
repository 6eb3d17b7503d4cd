import { READER_VERSION, resourceName } from "@gatehouse/protos";
import { decodeResource, encodeResource } from "@gatehouse/protos/wire";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { applyToServer } from "../support/apply-to-server.ts";
import { createCheckHarness, translatePolicies } from "../support/check-harness.ts";
import { all, type ServerMode, serverWith, statusesOf } from "./fixtures/check.ts";
import { type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import {
  authorization,
  DENY_HOST,
  type Fixture,
  GATEWAY,
  manifests,
  TO_APP,
  to,
  virtualService,
} from "./fixtures/policies.ts";
import { securityTest } from "./register.ts";

async function hostStatuses(
  mode: ServerMode,
  fixtures: readonly Fixture[],
  hosts: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  const statuses = await statusesOf(
    await serverWith(mode, ...fixtures),
    hosts.map((host) => ({ host })),
  );
  return Object.fromEntries(hosts.map((host, i) => [host, statuses[i] ?? 0]));
}

describe("one request, as an Envoy that does not touch the host hands it over", () => {
  securityTest(
    {
      id: "B01",
      severity: "C",
      source: "CVE-2021-39155",
      mode: ["exact", "strict"],
      level: "check",
      title: "a host is the same in any case",
      outcome: "deny",
    },
    async () => {
      const hosts = ["Secret.com", "SECRET.COM", "secret.com"];
      const inUpperCase = authorization("deny-upper", "DENY", to({ hosts: ["SECRET.com"] }));
      for (const mode of ["exact", "strict"] as const) {
        expect(await hostStatuses(mode, [DENY_HOST], hosts)).toEqual(all(403, hosts));
        expect(await hostStatuses(mode, [inUpperCase], hosts)).toEqual(all(403, hosts));
      }
    },
  );

  securityTest(
    {
      id: "B02",
      severity: "H",
      source: "ISTIO-SECURITY-2021-008",
      mode: ["strict"],
      level: "check",
      title: "a port does not hide a host",
      outcome: "deny",
    },
    async () => {
      const hosts = ["secret.com:8080", "Secret.com:443", "secret.com:"];
      expect(await hostStatuses("strict", [DENY_HOST], hosts)).toEqual(all(403, hosts));
      const allowNot = authorization("allow-not-host", "ALLOW", to({ notHosts: ["secret.com"] }));
      expect(await hostStatuses("strict", [allowNot], [...hosts, "other.com:80"])).toEqual({
        ...all(403, hosts),
        "other.com:80": 200,
      });
      // Nothing is allowed that would not be allowed without the option.
      const allow = authorization("allow-host", "ALLOW", to({ hosts: ["a.com", "b.com:*"] }));
      const allowed = await hostStatuses("strict", [allow], ["a.com", "a.com:1", "b.com", "b.com:1"]);
      expect(allowed).toEqual({ "a.com": 200, "a.com:1": 403, "b.com": 403, "b.com:1": 200 });
    },
  );

  securityTest(
    {
      id: "B02",
      severity: "H",
      source: "ISTIO-SECURITY-2021-008",
      mode: ["exact"],
      level: "check",
      title: "a host with a port is another text, as in Istio",
      outcome: "no match, documented: add `secret.com:*`",
    },
    async () => {
      expect(await hostStatuses("exact", [DENY_HOST], ["secret.com:8080"])).toEqual({ "secret.com:8080": 200 });
      const withPorts = authorization("deny-host", "DENY", to({ hosts: ["secret.com", "secret.com:*"] }));
      expect(await hostStatuses("exact", [withPorts], ["secret.com:8080"])).toEqual({ "secret.com:8080": 403 });
    },
  );

  securityTest(
    {
      id: "B03",
      severity: "H",
      source: "trailing dot",
      mode: ["strict"],
      level: "check",
      title: "the dot that may end a name does not hide it",
      outcome: "deny",
    },
    async () => {
      const hosts = ["secret.com.", "Secret.Com.", "secret.com.:80", "secret.com.."];
      expect(await hostStatuses("strict", [DENY_HOST], hosts)).toEqual(all(403, hosts));
      const wildcard = authorization("deny-wildcard", "DENY", to({ hosts: ["*.secret.com"] }));
      expect(await hostStatuses("strict", [wildcard], ["a.secret.com.:80"])).toEqual({ "a.secret.com.:80": 403 });
    },
  );

  securityTest(
    {
      id: "B03",
      severity: "H",
      source: "trailing dot",
      mode: ["exact", "strict"],
      level: "check",
      title: "where unknown hosts go on, the dot that may end a name does not make a host unknown",
      outcome: "its VirtualService answers",
    },
    async () => {
      const policies = virtualService(
        "known",
        [{ match: [{ uri: { prefix: "/open" } }], route: TO_APP }],
        ["known.com"],
      );
      for (const strictPaths of [false, true]) {
        const server = await createCheckHarness({ policies, settings: { unmatchedHosts: "passthrough", strictPaths } });
        const hosts = ["known.com", "known.com.", "Known.com.:80", "known.com:80", "other.com"];
        const asks = hosts.map((host) => ({ host, gateways: GATEWAY, path: "/closed" }));
        expect(await statusesOf(server, asks)).toEqual([404, 404, 404, 404, 200]);
      }
    },
  );

  securityTest(
    {
      id: "B04",
      severity: "H",
      source: "JavaScript: Unicode case folding",
      mode: ["exact", "strict"],
      level: "check",
      title: "only A to Z have another case",
      outcome: "no match",
    },
    async () => {
      const deny = authorization("deny-k", "ALLOW", to({ hosts: ["kx.com", "i.com"] }));
      for (const mode of ["exact", "strict"] as const) {
        const statuses = await hostStatuses(
          mode,
          [deny],
          ["\u212ax.com", "\u0130.com", "\u0131.com", "KX.com", "I.com"],
        );
        expect(statuses).toEqual({
          "\u212ax.com": 403,
          "\u0130.com": 403,
          "\u0131.com": 403,
          "KX.com": 200,
          "I.com": 200,
        });
      }
    },
  );

  securityTest(
    {
      id: "B05",
      severity: "M",
      source: "wildcards",
      mode: ["exact", "strict"],
      level: "check",
      title: "a wildcard stands for whole labels before its dot",
      outcome: "no match for evilexample.com and example.com",
    },
    async () => {
      const allow = authorization("allow-wildcard", "ALLOW", to({ hosts: ["*.example.com"] }));
      for (const mode of ["exact", "strict"] as const) {
        const statuses = await hostStatuses(mode, [allow], ["evilexample.com", "example.com", "a.b.example.com"]);
        expect(statuses).toEqual({ "evilexample.com": 403, "example.com": 403, "a.b.example.com": 200 });
      }
    },
  );

  securityTest(
    {
      id: "B06",
      severity: "M",
      source: "CVE-2026-48794, CVE-2026-77560",
      mode: ["exact", "strict"],
      level: "check",
      title: "case does not choose another wildcard, in policies and in routes",
      outcome: "as in lower case",
    },
    async () => {
      const allow = authorization("allow-two", "ALLOW", to({ hosts: ["*.b.example.com"] }));
      const deny = authorization("deny-one", "DENY", to({ hosts: ["a.b.*"] }));
      const wide = virtualService("wide", [{ directResponse: { status: 204 } }], ["*.example.com"]);
      const narrow = virtualService("narrow", [{ directResponse: { status: 205 } }], ["*.B.example.com"]);
      for (const mode of ["exact", "strict"] as const) {
        const hosts = ["c.B.example.com", "a.b.example.com", "A.B.EXAMPLE.com"];
        expect(await hostStatuses(mode, [allow, deny], hosts)).toEqual({
          [hosts[0] ?? ""]: 200,
          [hosts[1] ?? ""]: 403,
          [hosts[2] ?? ""]: 403,
        });
        const gateway = await serverWith(mode, wide, narrow);
        const requests = ["a.B.example.com", "a.b.example.com", "A.C.example.com"].map((host) => ({
          host,
          gateways: GATEWAY,
        }));
        expect(await statusesOf(gateway, requests)).toEqual([205, 205, 204]);
      }
    },
  );

  securityTest(
    {
      id: "B07",
      severity: "M",
      source: "CVE-2024-32475",
      mode: ["exact", "strict"],
      level: "check",
      title: "a host of any length is answered",
      outcome: "deny by default",
    },
    async () => {
      const hosts = [
        "a".repeat(300),
        `${"a.".repeat(4096)}com`,
        `${"1".repeat(8192)}:80`,
        ".".repeat(8192),
        ":".repeat(8192),
      ];
      const allow = authorization("allow-host", "ALLOW", to({ hosts: ["secret.com"] }));
      const routes = virtualService("hosts", [{ route: TO_APP }], ["*.secret.com", "secret.*"]);
      for (const mode of ["exact", "strict"] as const) {
        expect(await hostStatuses(mode, [allow], hosts)).toEqual(all(403, hosts));
        const gateway = await serverWith(mode, routes);
        const statuses = await statusesOf(
          gateway,
          hosts.map((host) => ({ host, gateways: GATEWAY })),
        );
        expect(statuses).toEqual(hosts.map(() => 404));
      }
    },
  );

  securityTest(
    {
      id: "B08",
      severity: "M",
      source: "syntax of an authority",
      mode: ["exact", "strict"],
      level: "check",
      title: "an odd authority is nobody else's host",
      outcome: "no match; no route",
    },
    async () => {
      const hosts = [
        "[::1]:80",
        "[::1",
        "user@secret.com",
        "",
        "secret.com,other",
        "secret.com/",
        "secret.com other",
        "*",
        "*.com",
      ];
      const allow = authorization("allow-host", "ALLOW", to({ hosts: ["secret.com", "::1"] }));
      const routes = virtualService("secret", [{ route: TO_APP }], ["secret.com", "other"]);
      for (const mode of ["exact", "strict"] as const) {
        expect(await hostStatuses(mode, [allow], hosts)).toEqual(all(403, hosts));
        const gateway = await serverWith(mode, routes);
        const statuses = await statusesOf(
          gateway,
          hosts.map((host) => ({ host, gateways: GATEWAY })),
        );
        expect(statuses).toEqual(hosts.map(() => 404));
      }
    },
  );

  securityTest(
    {
      id: "B10",
      severity: "L",
      source: "CVE-2023-35944",
      mode: ["exact"],
      level: "check",
      title: "a scheme is the same in any case",
      outcome: "match",
    },
    async () => {
      const routes = virtualService("scheme", [
        { match: [{ scheme: { exact: "https" } }], directResponse: { status: 204 } },
      ]);
      const gateway = await serverWith("exact", routes);
      const schemes = ["https", "HtTpS", "HTTPS", "http"].map((scheme) => ({ scheme, gateways: GATEWAY }));
      expect(await statusesOf(gateway, schemes)).toEqual([204, 204, 204, 404]);
    },
  );

  securityTest(
    {
      id: "B11",
      severity: "M",
      source: "default virtual host",
      mode: ["exact", "strict"],
      level: "check",
      title: "a host of no VirtualService is not found, a workload without policy is open, as in Istio",
      outcome: "404; allowed",
    },
    async () => {
      const routes = virtualService("known", [{ route: TO_APP }], ["known.com"]);
      for (const mode of ["exact", "strict"] as const) {
        const server = await serverWith(mode, routes);
        const unknown = { host: "unknown.com", gateways: GATEWAY };
        expect(await statusesOf(server, [unknown, { ...unknown, host: "known.com" }, { host: "unknown.com" }])).toEqual(
          [404, 200, 200],
        );
      }
    },
  );
});

describe("the policy on its way to the server", () => {
  securityTest(
    {
      id: "B09",
      severity: "H",
      source: "CVE-2022-21679",
      mode: ["exact"],
      level: "policy",
      title: "a condition or a version that the server does not know is refused, never dropped",
      outcome: "NACK",
    },
    async () => {
      const [policy] = translatePolicies(manifests("httpbin", DENY_HOST)).flatMap(({ resources }) => resources);
      if (policy?.kind !== "AuthorizationPolicy") throw new Error("nothing translated");
      const name = resourceName(policy);
      const bytes = encodeResource(policy);
      const newer = encodeResource({ ...policy, meta: { ...policy.meta, minReaderVersion: READER_VERSION + 1 } });
      expect(await applyToServer([{ name, bytes }])).toEqual({ kind: "applied" });
      expect(await applyToServer([{ name, bytes: newer }])).toMatchObject({
        kind: "refused",
        errors: [{ resource: name }],
      });
      const unknown = await applyToServer([{ name, bytes: withAttribute(bytes, 99) }]);
      expect(unknown).toMatchObject({ kind: "refused", errors: [{ resource: name }] });
    },
  );
});

/** The policy with another number for what its only condition looks at. */
function withAttribute(bytes: Uint8Array, attribute: number): Uint8Array {
  const HOST = 2;
  const METHOD = 3;
  for (const at of bytes.keys()) {
    if (bytes[at] !== HOST) continue;
    const changed = Buffer.from(bytes);
    changed[at] = METHOD;
    if (attributeIn(changed) !== "method") continue;
    changed[at] = attribute;
    return changed;
  }
  throw new Error("the attribute was not found");
}

function attributeIn(bytes: Uint8Array): string | undefined {
  try {
    const policy = decodeResource(bytes);
    return policy.kind === "AuthorizationPolicy" ? policy.rules[0]?.to[0]?.[0]?.attribute : undefined;
  } catch {
    return undefined; // not the byte that was looked for
  }
}

describe("through Envoy", () => {
  let exact: SecurityStack;
  let hardened: SecurityStack;
  beforeAll(async () => {
    exact = await startSecurityStack({ mode: "exact", apps: { host: [DENY_HOST] } });
    hardened = await startSecurityStack({ mode: "hardened", apps: { host: [DENY_HOST] } });
  });
  afterAll(async () => {
    await exact?.stop();
    await hardened?.stop();
  });

  securityTest(
    {
      id: "B01",
      severity: "C",
      source: "CVE-2021-39155",
      mode: ["exact"],
      level: "envoy",
      title: "a host is the same in any case",
      outcome: "deny",
    },
    async () => {
      for (const authority of ["Secret.com", "SECRET.COM"]) {
        const answer = await exact.send("host", { authority });
        expect([authority, answer.status, answer.received.length]).toEqual([authority, 403, 0]);
      }
    },
  );

  securityTest(
    {
      id: "B03",
      severity: "H",
      source: "ports and trailing dots",
      mode: ["hardened"],
      level: "envoy",
      title: "neither port nor final dot hides a host",
      outcome: "deny",
    },
    async () => {
      for (const authority of ["Secret.com", "secret.com:8080", "secret.com.", "secret.com.:80", "secret.com:"]) {
        const answer = await hardened.send("host", { authority });
        expect([authority, answer.received.length]).toEqual([authority, 0]);
        expect([400, 403]).toContain(answer.status);
      }
      expect((await hardened.send("host", { authority: "other.com:8080" })).status).toBe(200);
    },
  );

  securityTest(
    {
      id: "B08",
      severity: "M",
      source: "several hosts",
      mode: ["exact", "hardened"],
      level: "envoy",
      title: "a request with two hosts, or none, or a host that is none, does not pass as another host's",
      outcome: "400 by Envoy, or the host as it stands",
    },
    async () => {
      for (const stack of [exact, hardened]) {
        for (const hosts of [
          "Host: ok.com\r\nHost: secret.com",
          "Host: secret.com\r\nHost: ok.com",
          "Host: a b",
          "Host: \x01",
          "",
        ]) {
          const lines = hosts === "" ? "" : `${hosts}\r\n`;
          const answer = await stack.sendBytes("host", `GET / HTTP/1.1\r\n${lines}Connection: close\r\n\r\n`);
          expect([hosts, answer.received.filter(({ authority }) => /^secret\.com$/i.test(authority))]).toEqual([
            hosts,
            [],
          ]);
          // Two lines are one value to Envoy, which is nobody's host.
          const passed = answer.received.map(({ authority }) => authority);
          expect([hosts, passed.every((authority) => authority.includes(","))]).toEqual([hosts, true]);
        }
      }
    },
  );
});
