import { describe, expect } from "vitest";
import { createCheckHarness } from "../support/check-harness.ts";
import { all, SERVER_MODES, type ServerMode, serverWith, statusesBy, statusesOf } from "./fixtures/check.ts";
import { authorization, DENY_HOST, type Fixture, GATEWAY, TO_APP, to, virtualService } from "./fixtures/policies.ts";
import { spellingTests } from "./fixtures/spellings.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);
const hostTest = spellingTests((host) => ({ host }));
const schemeTest = spellingTests((scheme) => ({ scheme, gateways: GATEWAY }));

/** A policy of one action about hosts. */
function hosts(action: "ALLOW" | "DENY", ...names: readonly string[]): Fixture {
  return authorization(`${action.toLowerCase()}-hosts`, action, to({ hosts: names }));
}

/** The status for each host at a gateway with these routes. */
function atGateway(
  mode: ServerMode,
  routes: readonly string[],
  names: readonly string[],
): Promise<Readonly<Record<string, number>>> {
  return statusesBy(mode, routes, names, (host) => ({ host, gateways: GATEWAY }));
}

describe("one request, as an Envoy that does not touch the host hands it over", () => {
  const SECRET = ["Secret.com", "SECRET.COM", "secret.com"];
  hostTest(
    attack("B01", "C", { source: "CVE-2021-39155", title: "a host is the same in any case", outcome: "deny" }),
    [DENY_HOST, 403, SECRET],
    [hosts("DENY", "SECRET.com"), 403, SECRET],
  );

  const WITH_PORT = ["secret.com:8080", "Secret.com:443", "secret.com:"];
  const ALLOW_NOT_HOST = authorization("allow-not-host", "ALLOW", to({ notHosts: ["secret.com"] }));
  const ALLOW_TWO = hosts("ALLOW", "a.com", "b.com:*");
  hostTest(
    attack("B02", "H", {
      mode: ["strict"],
      source: "ISTIO-SECURITY-2021-008",
      title: "a port does not hide a host",
      outcome: "deny",
    }),
    [DENY_HOST, 403, WITH_PORT],
    [ALLOW_NOT_HOST, 403, WITH_PORT],
    [ALLOW_NOT_HOST, 200, ["other.com:80"]],
    // Nothing is allowed that would not be allowed without the option.
    [ALLOW_TWO, 200, ["a.com", "b.com:1"]],
    [ALLOW_TWO, 403, ["a.com:1", "b.com"]],
  );

  hostTest(
    attack("B02", "H", {
      mode: ["exact"],
      source: "ISTIO-SECURITY-2021-008",
      title: "a host with a port is another text, as in Istio",
      outcome: "no match, documented: add `secret.com:*`",
    }),
    [DENY_HOST, 200, ["secret.com:8080"]],
    [hosts("DENY", "secret.com", "secret.com:*"), 403, ["secret.com:8080"]],
  );

  hostTest(
    attack("B03", "H", {
      mode: ["strict"],
      source: "trailing dot",
      title: "the dot that may end a name does not hide it",
      outcome: "deny",
    }),
    [DENY_HOST, 403, ["secret.com.", "Secret.Com.", "secret.com.:80", "secret.com.."]],
    [hosts("DENY", "*.secret.com"), 403, ["a.secret.com.:80"]],
  );

  securityTest(
    attack("B03", "H", {
      source: "trailing dot",
      title: "where unknown hosts go on, the dot that may end a name does not make a host unknown",
      outcome: "its VirtualService answers",
    }),
    async () => {
      const policies = virtualService(
        "known",
        [{ match: [{ uri: { prefix: "/open" } }], route: TO_APP }],
        ["known.com"],
      );
      for (const strictPaths of [false, true]) {
        const server = await createCheckHarness({ policies, settings: { unmatchedHosts: "passthrough", strictPaths } });
        const names = ["known.com", "known.com.", "Known.com.:80", "known.com:80", "other.com"];
        const asks = names.map((host) => ({ host, gateways: GATEWAY, path: "/closed" }));
        expect(await statusesOf(server, asks)).toEqual([404, 404, 404, 404, 200]);
      }
    },
  );

  const KX_OR_I = hosts("ALLOW", "kx.com", "i.com");
  hostTest(
    attack("B04", "H", {
      source: "JavaScript: Unicode case folding",
      title: "only A to Z have another case",
      outcome: "no match",
    }),
    [KX_OR_I, 403, ["\u212ax.com", "\u0130.com", "\u0131.com"]],
    [KX_OR_I, 200, ["KX.com", "I.com"]],
  );

  const ALLOW_WILDCARD = hosts("ALLOW", "*.example.com");
  hostTest(
    attack("B05", "M", {
      source: "wildcards",
      title: "a wildcard stands for whole labels before its dot",
      outcome: "no match for evilexample.com and example.com",
    }),
    [ALLOW_WILDCARD, 403, ["evilexample.com", "example.com"]],
    [ALLOW_WILDCARD, 200, ["a.b.example.com"]],
  );

  securityTest(
    attack("B06", "M", {
      source: "CVE-2026-48794, CVE-2026-77560",
      title: "case does not choose another wildcard, in policies and in routes",
      outcome: "as in lower case",
    }),
    async () => {
      const wide = virtualService("wide", [{ directResponse: { status: 204 } }], ["*.example.com"]);
      const narrow = virtualService("narrow", [{ directResponse: { status: 205 } }], ["*.B.example.com"]);
      for (const mode of SERVER_MODES) {
        const policies = await serverWith(mode, hosts("ALLOW", "*.b.example.com"), hosts("DENY", "a.b.*"));
        const asks = ["c.B.example.com", "a.b.example.com", "A.B.EXAMPLE.com"].map((host) => ({ host }));
        expect(await statusesOf(policies, asks)).toEqual([200, 403, 403]);
        expect(
          await atGateway(mode, [wide, narrow], ["a.B.example.com", "a.b.example.com", "A.C.example.com"]),
        ).toEqual({ "a.B.example.com": 205, "a.b.example.com": 205, "A.C.example.com": 204 });
      }
    },
  );

  securityTest(
    attack("B07", "M", {
      source: "CVE-2024-32475",
      title: "a host of any length is answered",
      outcome: "deny by default",
    }),
    async () => {
      const routes = virtualService("hosts", [{ route: TO_APP }], ["*.secret.com", "secret.*"]);
      await expectNobodys(hosts("ALLOW", "secret.com"), routes, [
        "a".repeat(300),
        `${"a.".repeat(4096)}com`,
        `${"1".repeat(8192)}:80`,
        ".".repeat(8192),
        ":".repeat(8192),
      ]);
    },
  );

  securityTest(
    attack("B08", "M", {
      source: "syntax of an authority",
      title: "an odd authority is nobody else's host",
      outcome: "no match; no route",
    }),
    async () => {
      const routes = virtualService("secret", [{ route: TO_APP }], ["secret.com", "other"]);
      await expectNobodys(hosts("ALLOW", "secret.com", "::1"), routes, [
        ...["[::1]:80", "[::1", "user@secret.com", "", "*", "*.com"],
        ...["secret.com,other", "secret.com/", "secret.com other"],
      ]);
    },
  );

  /** The ALLOW policy lets none of the hosts in, and the gateway has no route for them. */
  async function expectNobodys(allow: Fixture, routes: string, names: readonly string[]): Promise<void> {
    for (const mode of SERVER_MODES) {
      expect(await statusesBy(mode, [allow], names, (host) => ({ host }))).toEqual(all(403, names));
      expect(await atGateway(mode, [routes], names)).toEqual(all(404, names));
    }
  }

  const HTTPS_ROUTE = virtualService("scheme", [
    { match: [{ scheme: { exact: "https" } }], directResponse: { status: 204 } },
  ]);
  schemeTest(
    attack("B10", "L", {
      mode: ["exact"],
      source: "CVE-2023-35944",
      title: "a scheme is the same in any case",
      outcome: "match",
    }),
    [HTTPS_ROUTE, 204, ["https", "HtTpS", "HTTPS"]],
    [HTTPS_ROUTE, 404, ["http"]],
  );

  securityTest(
    attack("B11", "M", {
      source: "default virtual host",
      title: "a host of no VirtualService is not found, a workload without policy is open, as in Istio",
      outcome: "404; allowed",
    }),
    async () => {
      const routes = virtualService("known", [{ route: TO_APP }], ["known.com"]);
      for (const mode of SERVER_MODES) {
        expect(await atGateway(mode, [routes], ["unknown.com", "known.com"])).toEqual({
          "unknown.com": 404,
          "known.com": 200,
        });
        expect(await statusesOf(await serverWith(mode, routes), [{ host: "unknown.com" }])).toEqual([200]);
      }
    },
  );
});
