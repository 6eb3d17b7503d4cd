import { describe, expect } from "vitest";
import { translatePolicies } from "../support/check-harness.ts";
import { all, pathStatuses, serverWith, statusesOf } from "./fixtures/check.ts";
import {
  ALLOW_NOT,
  ALLOW_PUB,
  authorization,
  DENY_ADMIN,
  DENY_ADMIN_TREE,
  GATEWAY,
  manifests,
  TO_APP,
  TPL,
  to,
  virtualService,
} from "./fixtures/policies.ts";
import { securityTest } from "./register.ts";

const NORMALIZATION = "CVE-2021-31920, CVE-2021-29492, ISTIO-SECURITY-2021-005";
const VECTORS = "Istio's normalisation vectors";
const DENY_PRIVATE = authorization("deny-private", "DENY", to({ paths: ["/private/secret.html"] }));

describe("one request, as an Envoy that does not normalise hands it over", () => {
  securityTest(
    {
      id: "A01",
      severity: "C",
      source: NORMALIZATION,
      mode: ["strict"],
      level: "check",
      title: "repeated slashes do not hide a path from a DENY",
      outcome: "deny",
    },
    async () => {
      const paths = ["//admin", "///admin", "/admin", "//admin/../admin"];
      expect(await pathStatuses("strict", [DENY_ADMIN], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A02",
      severity: "C",
      source: NORMALIZATION,
      mode: ["strict"],
      level: "check",
      title: "repeated slashes do not slip through an ALLOW of everything else",
      outcome: "deny",
    },
    async () => {
      const statuses = await pathStatuses("strict", [ALLOW_NOT], ["//admin", "/admin", "/other"]);
      expect(statuses).toEqual({ "//admin": 403, "/admin": 403, "/other": 200 });
    },
  );

  securityTest(
    {
      id: "A03",
      severity: "C",
      source: NORMALIZATION,
      mode: ["strict"],
      level: "check",
      title: "an escaped slash is a slash",
      outcome: "deny",
    },
    async () => {
      const paths = ["/private%2Fsecret.html", "/private%2fsecret.html", "/x%2f..%2Fprivate/secret.html"];
      expect(await pathStatuses("strict", [DENY_PRIVATE], paths)).toEqual(all(403, paths));
      // The other way round: what is allowed must be so in every reading.
      const climbing = [
        "/public/..%2fadmin",
        "/public/%2e%2e%2fadmin",
        "/public%2f..%2fadmin",
        "/public/x%2f..%2f../admin",
      ];
      expect(await pathStatuses("strict", [ALLOW_PUB], climbing)).toEqual(all(403, climbing));
      expect(await pathStatuses("strict", [ALLOW_PUB], ["/public/a%2Fb"])).toEqual(all(200, ["/public/a%2Fb"]));
    },
  );

  securityTest(
    {
      id: "A04",
      severity: "C",
      source: NORMALIZATION,
      mode: ["exact"],
      level: "check",
      title: "a raw backslash is a slash",
      outcome: "deny",
    },
    async () => {
      const paths = ["/private\\secret.html", "\\private\\secret.html", "/x\\..\\private/secret.html"];
      expect(await pathStatuses("exact", [DENY_PRIVATE], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A04",
      severity: "C",
      source: NORMALIZATION,
      mode: ["strict"],
      level: "check",
      title: "an escaped backslash is a slash",
      outcome: "deny",
    },
    async () => {
      const paths = [
        "/private%5Csecret.html",
        "/private%5csecret.html",
        "/private\\secret.html",
        "/x%5C..%5Cprivate/secret.html",
      ];
      expect(await pathStatuses("strict", [DENY_PRIVATE], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A05",
      severity: "C",
      source: "CVE-2019-9901",
      mode: ["exact", "strict"],
      level: "check",
      title: "dot segments do not climb out of what is allowed",
      outcome: "deny",
    },
    async () => {
      const paths = [
        "/public/../admin",
        "/public/./../admin",
        "/public/%2e%2e/admin",
        "/public/%2E/%2E%2E/admin",
        "/public/.%2e/admin",
      ];
      expect(await pathStatuses("exact", [ALLOW_PUB], paths)).toEqual(all(403, paths));
      expect(await pathStatuses("strict", [ALLOW_PUB], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A06",
      severity: "C",
      source: "CVE-2021-39156, CVE-2021-32779, ISTIO-SECURITY-2021-008",
      mode: ["exact", "strict"],
      level: "check",
      title: "a fragment is no part of the path",
      outcome: "deny",
    },
    async () => {
      const paths = ["/admin#x", "/admin#", "/admin#?a=b", "/admin?a#/public/"];
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(403, paths));
      expect(await pathStatuses("strict", [DENY_ADMIN], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A07",
      severity: "C",
      source: "CVE-2020-8595, ISTIO-SECURITY-2020-001",
      mode: ["exact", "strict"],
      level: "check",
      title: "a query does not hide a path from a DENY",
      outcome: "deny",
    },
    async () => {
      const paths = ["/admin?", "/admin?a=b", "/admin?#", "/admin??/", "/admin?/../x"];
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(403, paths));
      expect(await pathStatuses("strict", [DENY_ADMIN], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A08",
      severity: "C",
      source: "CVE-2025-54576",
      mode: ["exact", "strict"],
      level: "check",
      title: "a query does not satisfy an ALLOW",
      outcome: "deny",
    },
    async () => {
      const suffix = authorization("allow-suffix", "ALLOW", to({ paths: ["*/public"] }));
      for (const mode of ["exact", "strict"] as const) {
        const bySuffix = ["/admin?x=/public", "/admin?/public", "/admin#/public"];
        expect(await pathStatuses(mode, [suffix], bySuffix)).toEqual(all(403, bySuffix));
        const byPrefix = ["/admin?/public/", "?/public/x"];
        expect(await pathStatuses(mode, [ALLOW_PUB], byPrefix)).toEqual(all(403, byPrefix));
      }
    },
  );

  securityTest(
    {
      id: "A09",
      severity: "H",
      source: "CVE-2026-73553, CVE-2026-73511",
      mode: ["strict"],
      level: "check",
      title: "path parameters do not hide a path from a DENY",
      outcome: "deny",
    },
    async () => {
      const paths = ["/admin;x=1", "/admin;", "/;x=y/admin", "/admin;x%2Fy", "/admin%3Bx", "/;/..;a/admin;b"];
      expect(await pathStatuses("strict", [DENY_ADMIN], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A09",
      severity: "H",
      source: "CVE-2026-73553, CVE-2026-73511",
      mode: ["exact"],
      level: "check",
      title: "path parameters are part of the path, as in Istio",
      outcome: "no match, documented",
    },
    async () => {
      const paths = ["/admin;x=1", "/admin;", "/;x=y/admin"];
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(200, paths));
    },
  );

  securityTest(
    {
      id: "A10",
      severity: "H",
      source: "CVE-2026-73551",
      mode: ["exact", "strict"],
      level: "check",
      title: "dot segments with parameters do not climb out of what is allowed",
      outcome: "deny",
    },
    async () => {
      const paths = ["/public/..;/admin", "/public/.;/../admin", "/public/..;a=b/admin", "/public/%2e%2e;/admin"];
      expect(await pathStatuses("exact", [ALLOW_PUB], paths)).toEqual(all(403, paths));
      expect(await pathStatuses("strict", [ALLOW_PUB], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A11",
      severity: "H",
      source: VECTORS,
      mode: ["exact", "strict"],
      level: "check",
      title: "escaped letters are decoded, and case stays",
      outcome: "deny; no match in another case",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const statuses = await pathStatuses(mode, [DENY_ADMIN], ["/%61dmin", "/%61%64%6D%69%6e", "/%41dmin"]);
        expect(statuses).toEqual({ "/%61dmin": 403, "/%61%64%6D%69%6e": 403, "/%41dmin": 200 });
      }
    },
  );

  securityTest(
    {
      id: "A12",
      severity: "M",
      source: VECTORS,
      mode: ["exact", "strict"],
      level: "check",
      title: "escapes are decoded at most once, overlong ones never",
      outcome: "literal, as Envoy",
    },
    async () => {
      const paths = ["/%2561dmin", "/%252e%252e/admin", "/%c0%afadmin", "/%c0%ae%c0%ae/admin", "/0x2e0x2e/admin"];
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(200, paths));
      expect(await pathStatuses("strict", [DENY_ADMIN], paths)).toEqual(all(200, paths));
      expect(await pathStatuses("exact", [ALLOW_PUB], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A13",
      severity: "H",
      source: VECTORS,
      mode: ["exact", "strict"],
      level: "check",
      title: "an escaped NUL is refused",
      outcome: "400",
    },
    async () => {
      const paths = ["/admin%00", "/adm%00in", "/%00/admin", "/public/%00"];
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(400, paths));
      expect(await pathStatuses("strict", [ALLOW_PUB], paths)).toEqual(all(400, paths));
    },
  );

  securityTest(
    {
      id: "A14",
      severity: "M",
      source: "JavaScript: decodeURIComponent throws",
      mode: ["exact", "strict"],
      level: "check",
      title: "broken escapes are literal",
      outcome: "no match, no error",
    },
    async () => {
      const paths = ["/admin%", "/admin%zz", "/%ff", "/%", "/%2", "/admin%2"];
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(200, paths));
      expect(await pathStatuses("strict", [ALLOW_PUB], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A15",
      severity: "C",
      source: "CVE-2026-26205",
      mode: ["strict"],
      level: "check",
      title: "a path that looks like a URL without scheme is a path",
      outcome: "deny",
    },
    async () => {
      const deny = authorization("deny-x", "DENY", to({ paths: ["/admin/x"] }));
      const paths = ["//admin/x", "///admin/x", "/\\admin/x", "//admin//x"];
      expect(await pathStatuses("strict", [deny], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A15",
      severity: "C",
      source: "CVE-2026-26205",
      mode: ["exact"],
      level: "check",
      title: "no part of a path is taken for a host",
      outcome: "the path as it is: no match for /x",
    },
    async () => {
      const allow = authorization("allow-x", "ALLOW", to({ paths: ["/x"] }));
      const paths = ["//admin/x", "//admin:80/x", "//user@admin/x"];
      expect(await pathStatuses("exact", [allow], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A16",
      severity: "H",
      source: "JavaScript: URL drops TAB, CR, LF",
      mode: ["exact", "strict"],
      level: "check",
      title: "control characters in a path are refused",
      outcome: "400",
    },
    async () => {
      const paths = ["/ad\tmin", "/a\n/../admin", "/adm\rin", "/admin\0", "/a\x7fb", "/\x01"];
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(400, paths));
      expect(await pathStatuses("strict", [DENY_ADMIN], paths)).toEqual(all(400, paths));
    },
  );

  securityTest(
    {
      id: "A17",
      severity: "C",
      source: "CVE-2025-46821",
      mode: ["exact", "strict"],
      level: "check",
      title: "no byte but the slash leaves a template of a DENY",
      outcome: "deny",
    },
    async () => {
      const paths = [
        "/files/a*b",
        "/files/*",
        "/files/[x]",
        "/files/a|b",
        '/files/a"b',
        "/files/a b",
        "/files/é",
        "/v1/*/secret",
      ];
      expect(await pathStatuses("exact", [TPL], paths)).toEqual(all(403, paths));
      expect(await pathStatuses("strict", [TPL], paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    {
      id: "A18",
      severity: "M",
      source: "Envoy's URI template matcher",
      mode: ["exact"],
      level: "check",
      title: "a template matches as many segments as it says",
      outcome: "as Envoy",
    },
    async () => {
      const outside = ["/v1//secret", "/v1/a/b/secret", "/v1/a/secret/", "/files"];
      const inside = ["/v1/a%2Fb/secret", "/files/", "/files//a", "/v1/a/secret"];
      expect(await pathStatuses("exact", [TPL], outside)).toEqual(all(200, outside));
      expect(await pathStatuses("exact", [TPL], inside)).toEqual(all(403, inside));
    },
  );

  securityTest(
    {
      id: "A20",
      severity: "L",
      source: "parity",
      mode: ["exact", "strict"],
      level: "check",
      title: "an exact path is not its folder",
      outcome: "no match; `/admin/*` is needed too",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        expect(await pathStatuses(mode, [DENY_ADMIN], ["/admin/", "/admin/."])).toEqual(
          all(200, ["/admin/", "/admin/."]),
        );
        const tree = await pathStatuses(mode, [DENY_ADMIN_TREE], ["/admin", "/admin/", "/admin/."]);
        expect(tree).toEqual(all(403, ["/admin", "/admin/", "/admin/."]));
      }
    },
  );

  securityTest(
    {
      id: "A21",
      severity: "H",
      source: "CVE-2026-73547",
      mode: ["exact", "strict"],
      level: "check",
      title: "a request without a path matches no path, and the query is never rewritten for it",
      outcome: "deny by default",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const allowAll = authorization("allow-paths", "ALLOW", to({ paths: ["*"] }));
        const connect = { method: "CONNECT", path: "" };
        expect(await statusesOf(await serverWith(mode, ALLOW_PUB), [connect])).toEqual([403]);
        expect(await statusesOf(await serverWith(mode, allowAll), [connect])).toEqual([403]);
        const answer = await (await serverWith(mode)).check(connect);
        expect([answer.status, [...answer.set], answer.removed]).toEqual([200, [], []]);
      }
    },
  );

  securityTest(
    {
      id: "A22",
      severity: "M",
      source: "odd request targets",
      mode: ["exact", "strict"],
      level: "check",
      title: "the path `*` is literal",
      outcome: "no match for any path that begins with a slash",
    },
    async () => {
      for (const mode of ["exact", "strict"] as const) {
        const asterisk = { method: "OPTIONS", path: "*" };
        expect(await statusesOf(await serverWith(mode, ALLOW_PUB), [asterisk])).toEqual([403]);
        expect(await statusesOf(await serverWith(mode, DENY_ADMIN), [asterisk])).toEqual([200]);
      }
    },
  );

  securityTest(
    {
      id: "A24",
      severity: "H",
      source: "CVE-2023-27487",
      mode: ["exact", "strict"],
      level: "check",
      title: "x-envoy-original-path says nothing about the path",
      outcome: "deny",
    },
    async () => {
      const headers = [["x-envoy-original-path", "/public/x"]] as const;
      for (const mode of ["exact", "strict"] as const) {
        expect(await statusesOf(await serverWith(mode, ALLOW_PUB), [{ path: "/admin", headers }])).toEqual([403]);
      }
    },
  );

  securityTest(
    {
      id: "A25",
      severity: "H",
      source: "oauth2-proxy: X-Forwarded-Uri",
      mode: ["exact", "strict"],
      level: "check",
      title: "no header overrides the path or the method",
      outcome: "deny",
    },
    async () => {
      const names = ["x-forwarded-uri", "x-original-url", "x-rewrite-url", "x-original-uri", "x-forwarded-prefix"];
      const method = authorization("allow-get", "ALLOW", to({ methods: ["GET"] }));
      for (const mode of ["exact", "strict"] as const) {
        const spoofed = names.map((name) => ({ path: "/admin", headers: [[name, "/public/x"]] as const }));
        expect(await statusesOf(await serverWith(mode, ALLOW_PUB), spoofed)).toEqual(names.map(() => 403));
        const overridden = { method: "DELETE", headers: [["x-http-method-override", "GET"]] as const };
        expect(await statusesOf(await serverWith(mode, method), [overridden])).toEqual([403]);
      }
    },
  );

  securityTest(
    {
      id: "A26",
      severity: "M",
      source: "Istio's normalization_test.go",
      mode: ["exact", "strict"],
      level: "check",
      title: "no escaped byte behind a path makes the path match",
      outcome: "as Istio: only what decodes to nothing but the path",
    },
    async () => {
      const bytes = Array.from({ length: 255 }, (_, i) => `%${(i + 1).toString(16).padStart(2, "0")}`);
      const paths = bytes.map((escaped) => `/admin${escaped}`);
      expect(await pathStatuses("exact", [DENY_ADMIN], paths)).toEqual(all(200, paths));
      // Two bytes lead a lenient upstream back to /admin: `;` starts a parameter, and what follows is nothing.
      const strict = await pathStatuses("strict", [DENY_ADMIN], paths);
      expect(Object.keys(strict).filter((path) => strict[path] !== 200)).toEqual(["/admin%3b"]);
    },
  );
});

describe("the policy itself", () => {
  securityTest(
    {
      id: "A19",
      severity: "M",
      source: "Istio's validation of path templates",
      mode: ["exact", "strict"],
      level: "policy",
      title: "a path template that means nothing is reported and fails closed",
      outcome: "Accepted=False, deny in its scope",
    },
    async () => {
      for (const path of ["/{**}/{*}", "/a{*}", "/{*}x/b", "/*/{*}"]) {
        const deny = authorization("bad-template", "DENY", to({ paths: [path] }));
        const [translated] = translatePolicies(manifests("httpbin", deny));
        expect(translated?.report).toMatchObject({ accepted: false, reason: "Invalid" });
        const messages = translated?.report.diagnostics.map(({ message }) => message).join("\n");
        expect(messages).toContain("invalid or unsupported path");
        expect(await pathStatuses("exact", [deny], ["/y"])).toEqual({ "/y": 403 });
        const allow = authorization("bad-template", "ALLOW", to({ paths: [path] }));
        expect(await pathStatuses("exact", [allow], ["/y/x", "/ab", "/*/a"])).toEqual(
          all(403, ["/y/x", "/ab", "/*/a"]),
        );
      }
    },
  );

  securityTest(
    {
      id: "A19",
      severity: "M",
      source: "Istio's validation of path templates",
      mode: ["exact", "strict"],
      level: "policy",
      title: "braces that are no template, such as /{id}, are reported: no normalised path holds them",
      outcome:
        "Accepted=False; matched as written, as in Istio, so never: an ALLOW lets nothing in, a DENY is of no use",
    },
    async () => {
      for (const path of ["/{foo}", "/a/{x}", "/a{b", "/x}"]) {
        const allow = authorization("braces", "ALLOW", to({ paths: [path] }));
        const [translated] = translatePolicies(manifests("httpbin", allow));
        expect(translated?.report).toMatchObject({ accepted: false, reason: "Invalid" });
        const messages = translated?.report.diagnostics.map(({ message }) => message).join("\n");
        expect(messages).toContain("Contains '{' or '}' beyond a supported path template");
        const paths = [path, "/y", "/a/y", "/foo", "/a/x"];
        for (const mode of ["exact", "strict"] as const) {
          expect(await pathStatuses(mode, [allow], paths)).toEqual(all(403, paths));
        }
        const deny = authorization("braces", "DENY", to({ paths: [path] }));
        expect(await pathStatuses("exact", [deny], paths)).toEqual(all(200, paths));
        // An upstream that decodes sees the braces.
        expect(await pathStatuses("strict", [deny], [path, "/y"])).toEqual({ [path]: 403, "/y": 200 });
      }
    },
  );

  securityTest(
    {
      id: "A23",
      severity: "H",
      source: "CVE-2019-14993",
      mode: ["exact", "strict"],
      level: "check",
      title: "a path of 60 KB costs time in proportion to its length, whatever it is made of",
      outcome: "an answer at once",
    },
    async () => {
      const regex = virtualService("regex", [{ match: [{ uri: { regex: "/(a+)+x" } }], route: TO_APP }]);
      const servers = [await serverWith("exact", TPL, regex), await serverWith("strict", TPL, regex)];
      const patterns = ["a", '"', "%", "%61", "%22", "/..", "/a/..", "//", ";", "%2f;..", "\\", "/.;", "/a/../b"];
      const paths = patterns.map((pattern) => `/${pattern.repeat(Math.floor(60_000 / pattern.length))}`);
      const startedMs = performance.now();
      for (const server of servers) {
        await statusesOf(
          server,
          paths.map((path) => ({ path, gateways: GATEWAY })),
        );
      }
      // 26 answers take a fifth of a second; one path of quadratic cost takes 3 s.
      expect(performance.now() - startedMs).toBeLessThan(2_500);
    },
  );
});

describe("routes under strictPaths", () => {
  securityTest(
    {
      id: "A03",
      severity: "C",
      source: "routing on another reading than the upstream's",
      mode: ["strict"],
      level: "check",
      title: "a path whose readings lead to different routes has none",
      outcome: "400",
    },
    async () => {
      const routes = virtualService("split", [
        {
          match: [{ uri: { prefix: "/admin" }, headers: { "@request.auth.claims.groups": { exact: "admin" } } }],
          route: TO_APP,
        },
        { match: [{ uri: { prefix: "/public" } }], route: TO_APP },
        { match: [{ uri: { prefix: "/static" } }], rewrite: { uri: "/files/" }, route: TO_APP },
      ]);
      const server = await serverWith("strict", routes);
      const ask = (path: string) => server.check({ path, gateways: GATEWAY });
      for (const path of ["/public/..%2fadmin", "/public%2f..%2f..%2fadmin"]) {
        expect([path, (await ask(path)).status]).toEqual([path, 400]);
      }
      for (const path of ["/public/a%2Fb", "/public;v=1/a", "/public//a", "/static/a"]) {
        expect([path, (await ask(path)).status]).toEqual([path, 200]);
      }
      // /files/../secret
      expect((await ask("/static../secret")).status).toBe(400);
      expect((await ask("/static..%2fsecret")).status).toBe(400);
    },
  );
});
