import { describe, expect } from "vitest";
import { all, pathStatuses, SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import {
  ALLOW_NOT,
  ALLOW_PUB,
  authorization,
  DENY_ADMIN,
  DENY_ADMIN_TREE,
  DENY_PRIVATE,
  GATEWAY,
  TO_APP,
  TPL,
  to,
  virtualService,
} from "./fixtures/policies.ts";
import { spellingTests } from "./fixtures/spellings.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);
const pathTest = spellingTests((path) => ({ path }));

const NORMALIZATION = "CVE-2021-31920, CVE-2021-29492, ISTIO-SECURITY-2021-005";
const VECTORS = "Istio's normalisation vectors";
const ALLOW_SUFFIX = authorization("allow-suffix", "ALLOW", to({ paths: ["*/public"] }));

describe("one request, as an Envoy that does not normalise hands it over", () => {
  pathTest(
    attack("A01", "C", {
      mode: ["strict"],
      source: NORMALIZATION,
      title: "repeated slashes do not hide a path from a DENY",
      outcome: "deny",
    }),
    [DENY_ADMIN, 403, ["//admin", "///admin", "/admin", "//admin/../admin"]],
  );

  pathTest(
    attack("A02", "C", {
      mode: ["strict"],
      source: NORMALIZATION,
      title: "repeated slashes do not slip through an ALLOW of everything else",
      outcome: "deny",
    }),
    [ALLOW_NOT, 403, ["//admin", "/admin"]],
    [ALLOW_NOT, 200, ["/other"]],
  );

  pathTest(
    attack("A03", "C", {
      mode: ["strict"],
      source: NORMALIZATION,
      title: "an escaped slash is a slash",
      outcome: "deny",
    }),
    [DENY_PRIVATE, 403, ["/private%2Fsecret.html", "/private%2fsecret.html", "/x%2f..%2Fprivate/secret.html"]],
    // The other way round: what is allowed must be so in every reading.
    [ALLOW_PUB, 403, ["/public/..%2fadmin", "/public/%2e%2e%2fadmin"]],
    [ALLOW_PUB, 403, ["/public%2f..%2fadmin", "/public/x%2f..%2f../admin"]],
    [ALLOW_PUB, 200, ["/public/a%2Fb"]],
  );

  pathTest(
    attack("A04", "C", {
      mode: ["exact"],
      source: NORMALIZATION,
      title: "a raw backslash is a slash",
      outcome: "deny",
    }),
    [DENY_PRIVATE, 403, ["/private\\secret.html", "\\private\\secret.html", "/x\\..\\private/secret.html"]],
  );

  pathTest(
    attack("A04", "C", {
      mode: ["strict"],
      source: NORMALIZATION,
      title: "an escaped backslash is a slash",
      outcome: "deny",
    }),
    [DENY_PRIVATE, 403, ["/private%5Csecret.html", "/private%5csecret.html"]],
    [DENY_PRIVATE, 403, ["/private\\secret.html", "/x%5C..%5Cprivate/secret.html"]],
  );

  pathTest(
    attack("A05", "C", {
      source: "CVE-2019-9901",
      title: "dot segments do not climb out of what is allowed",
      outcome: "deny",
    }),
    [ALLOW_PUB, 403, ["/public/../admin", "/public/./../admin", "/public/%2e%2e/admin"]],
    [ALLOW_PUB, 403, ["/public/%2E/%2E%2E/admin", "/public/.%2e/admin"]],
  );

  pathTest(
    attack("A06", "C", {
      source: "CVE-2021-39156, CVE-2021-32779, ISTIO-SECURITY-2021-008",
      title: "a fragment is no part of the path",
      outcome: "deny",
    }),
    [DENY_ADMIN, 403, ["/admin#x", "/admin#", "/admin#?a=b", "/admin?a#/public/"]],
  );

  pathTest(
    attack("A07", "C", {
      source: "CVE-2020-8595, ISTIO-SECURITY-2020-001",
      title: "a query does not hide a path from a DENY",
      outcome: "deny",
    }),
    [DENY_ADMIN, 403, ["/admin?", "/admin?a=b", "/admin?#", "/admin??/", "/admin?/../x"]],
  );

  pathTest(
    attack("A08", "C", { source: "CVE-2025-54576", title: "a query does not satisfy an ALLOW", outcome: "deny" }),
    [ALLOW_SUFFIX, 403, ["/admin?x=/public", "/admin?/public", "/admin#/public"]],
    [ALLOW_PUB, 403, ["/admin?/public/", "?/public/x"]],
  );

  pathTest(
    attack("A09", "H", {
      mode: ["strict"],
      source: "CVE-2026-73553, CVE-2026-73511",
      title: "path parameters do not hide a path from a DENY",
      outcome: "deny",
    }),
    [DENY_ADMIN, 403, ["/admin;x=1", "/admin;", "/;x=y/admin", "/admin;x%2Fy", "/admin%3Bx", "/;/..;a/admin;b"]],
  );

  pathTest(
    attack("A09", "H", {
      mode: ["exact"],
      source: "CVE-2026-73553, CVE-2026-73511",
      title: "path parameters are part of the path, as in Istio",
      outcome: "no match, documented",
    }),
    [DENY_ADMIN, 200, ["/admin;x=1", "/admin;", "/;x=y/admin"]],
  );

  pathTest(
    attack("A10", "H", {
      source: "CVE-2026-73551",
      title: "dot segments with parameters do not climb out of what is allowed",
      outcome: "deny",
    }),
    [ALLOW_PUB, 403, ["/public/..;/admin", "/public/.;/../admin", "/public/..;a=b/admin", "/public/%2e%2e;/admin"]],
  );

  pathTest(
    attack("A11", "H", {
      source: VECTORS,
      title: "escaped letters are decoded, and case stays",
      outcome: "deny; no match in another case",
    }),
    [DENY_ADMIN, 403, ["/%61dmin", "/%61%64%6D%69%6e"]],
    [DENY_ADMIN, 200, ["/%41dmin"]],
  );

  const ENCODED_TWICE = ["/%2561dmin", "/%252e%252e/admin", "/%c0%afadmin", "/%c0%ae%c0%ae/admin", "/0x2e0x2e/admin"];
  pathTest(
    attack("A12", "M", {
      source: VECTORS,
      title: "escapes are decoded at most once, overlong ones never",
      outcome: "literal, as Envoy",
    }),
    [DENY_ADMIN, 200, ENCODED_TWICE],
    [ALLOW_PUB, 403, ENCODED_TWICE],
  );

  const WITH_NUL = ["/admin%00", "/adm%00in", "/%00/admin", "/public/%00"];
  pathTest(
    attack("A13", "H", { source: VECTORS, title: "an escaped NUL is refused", outcome: "400" }),
    [DENY_ADMIN, 400, WITH_NUL],
    [ALLOW_PUB, 400, WITH_NUL],
  );

  const BROKEN_ESCAPES = ["/admin%", "/admin%zz", "/%ff", "/%", "/%2", "/admin%2"];
  pathTest(
    attack("A14", "M", {
      source: "JavaScript: decodeURIComponent throws",
      title: "broken escapes are literal",
      outcome: "no match, no error",
    }),
    [DENY_ADMIN, 200, BROKEN_ESCAPES],
    [ALLOW_PUB, 403, BROKEN_ESCAPES],
  );

  pathTest(
    attack("A15", "C", {
      mode: ["strict"],
      source: "CVE-2026-26205",
      title: "a path that looks like a URL without scheme is a path",
      outcome: "deny",
    }),
    [
      authorization("deny-x", "DENY", to({ paths: ["/admin/x"] })),
      403,
      ["//admin/x", "///admin/x", "/\\admin/x", "//admin//x"],
    ],
  );

  pathTest(
    attack("A15", "C", {
      mode: ["exact"],
      source: "CVE-2026-26205",
      title: "no part of a path is taken for a host",
      outcome: "the path as it is: no match for /x",
    }),
    [authorization("allow-x", "ALLOW", to({ paths: ["/x"] })), 403, ["//admin/x", "//admin:80/x", "//user@admin/x"]],
  );

  pathTest(
    attack("A16", "H", {
      source: "JavaScript: URL drops TAB, CR, LF",
      title: "control characters in a path are refused",
      outcome: "400",
    }),
    [DENY_ADMIN, 400, ["/ad\tmin", "/a\n/../admin", "/adm\rin", "/admin\0", "/a\x7fb", "/\x01"]],
  );

  pathTest(
    attack("A20", "L", {
      source: "parity",
      title: "an exact path is not its folder",
      outcome: "no match; `/admin/*` is needed too",
    }),
    [DENY_ADMIN, 200, ["/admin/", "/admin/."]],
    [DENY_ADMIN_TREE, 403, ["/admin", "/admin/", "/admin/."]],
  );

  securityTest(
    attack("A23", "H", {
      source: "CVE-2019-14993",
      title: "a path of 60 KB costs time in proportion to its length, whatever it is made of",
      outcome: "an answer at once",
    }),
    async () => {
      const regex = virtualService("regex", [{ match: [{ uri: { regex: "/(a+)+x" } }], route: TO_APP }]);
      const servers = [await serverWith("exact", TPL, regex), await serverWith("strict", TPL, regex)];
      const patterns = ["a", '"', "%", "%61", "%22", "/..", "/a/..", "//", ";", "%2f;..", "\\", "/.;", "/a/../b"];
      const paths = patterns.map((pattern) => `/${pattern.repeat(Math.floor(60_000 / pattern.length))}`);
      const asks = paths.map((path) => ({ path, gateways: GATEWAY }));
      const startedMs = performance.now();
      for (const server of servers) await statusesOf(server, asks);
      // 26 answers take a fifth of a second; one path of quadratic cost takes 3 s.
      expect(performance.now() - startedMs).toBeLessThan(2_500);
    },
  );

  securityTest(
    attack("A26", "M", {
      source: "Istio's normalization_test.go",
      title: "no escaped byte behind a path makes the path match",
      outcome: "as Istio: only what decodes to nothing but the path",
    }),
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

describe("routes under strictPaths", () => {
  securityTest(
    attack("A03", "C", {
      mode: ["strict"],
      source: "routing on another reading than the upstream's",
      title: "a path whose readings lead to different routes has none",
      outcome: "400",
    }),
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
