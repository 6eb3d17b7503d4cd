import { afterAll, beforeAll, describe, expect } from "vitest";
import { all, pathStatuses } from "./fixtures/check.ts";
import { expectRefused, type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import { ALLOW_NOT, ALLOW_PUB, DENY_ADMIN, DENY_HOST, DENY_PRIVATE, TPL } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("envoy", ["exact"]);

const NORMALIZATION = "CVE-2021-31920, CVE-2021-29492, ISTIO-SECURITY-2021-005";
const VECTORS = "Istio's normalisation vectors";

describe("through Envoy with the profiles of Istio", () => {
  let stack: SecurityStack;
  beforeAll(async () => {
    stack = await startSecurityStack({
      mode: "exact",
      apps: { admin: [DENY_ADMIN], private: [DENY_PRIVATE], public: [ALLOW_PUB], host: [DENY_HOST], tpl: [TPL] },
    });
  });
  afterAll(() => stack?.stop());

  async function refused(app: string, paths: readonly string[], status = 403): Promise<void> {
    for (const path of paths) {
      expectRefused(await stack.send(app, { path }), status, path);
    }
  }

  securityTest(
    attack("A05", "C", {
      source: "CVE-2019-9901",
      title: "dot segments do not climb out of what is allowed",
      outcome: "deny",
    }),
    () => refused("public", ["/public/../admin", "/public/%2e%2e/admin", "/public/..;/admin", "/public\\..\\admin"]),
  );

  securityTest(
    attack("A06", "C", {
      source: "CVE-2021-39156, CVE-2021-32779, ISTIO-SECURITY-2021-008",
      title: "a fragment on the wire is no part of the path",
      outcome: "deny",
    }),
    () => refused("admin", ["/admin#x", "/admin?#", "/x/../admin#/public"]),
  );

  securityTest(
    attack("A13", "H", { source: VECTORS, title: "an escaped NUL is refused", outcome: "400 by Envoy" }),
    () => refused("admin", ["/admin%00", "/adm%00in"], 400),
  );

  securityTest(
    attack("A16", "H", {
      source: "codec",
      title: "control characters in a request line are refused",
      outcome: "400 by Envoy",
    }),
    async () => {
      for (const path of ["/ad\tmin", "/admin\x01", "/admin\0", "/ad min"]) {
        expectRefused(
          await stack.sendBytes("admin", `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`),
          400,
          path,
        );
      }
    },
  );

  securityTest(
    attack("A17", "C", {
      source: "CVE-2025-46821",
      title: "no byte but the slash leaves a template of a DENY",
      outcome: "deny",
    }),
    () => refused("tpl", ["/files/a*b", "/files/*", "/files/[x]", "/files/a|b", '/files/a"b']),
  );

  securityTest(
    attack("A21", "H", {
      source: "CVE-2026-73547",
      title: "CONNECT reaches no upstream",
      outcome: "404 by Envoy: no route takes it",
    }),
    async () => {
      expectRefused(await stack.sendBytes("admin", "CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"), 404, "CONNECT");
    },
  );

  securityTest(
    attack("A22", "M", {
      source: "odd request targets",
      title: "the host of a target in absolute form counts, not the Host header",
      outcome: "as the URI says",
    }),
    async () => {
      const both = await stack.send("host", { path: "http://other/admin", authority: "secret.com" });
      expect([both.status, both.received.map(({ path, authority }) => [path, authority])]).toEqual([
        200,
        [["/admin", "other"]],
      ]);
      await refused("host", ["http://secret.com/admin", "http://SECRET.com/admin"]);
      await refused("admin", ["http://other/admin", "http://other/x/../admin"]);
    },
  );

  securityTest(
    attack("A22", "M", {
      source: "odd request targets",
      title: "HTTP/1.0, HTTP/0.9 and requests without Host reach no upstream",
      outcome: "400 or 426 by Envoy",
    }),
    async () => {
      const requests = [
        "GET /admin HTTP/1.0\r\n\r\n",
        "GET /x HTTP/1.0\r\nHost: a\r\n\r\n",
        "GET /x HTTP/1.1\r\n\r\n",
        "GET /x\r\n\r\n",
      ];
      for (const bytes of requests) {
        const answer = await stack.sendBytes("admin", bytes);
        expect([400, 426]).toContain(answer.status);
        expect(answer.received).toEqual([]);
      }
    },
  );

  securityTest(
    attack("A24", "H", {
      source: "CVE-2023-27487",
      title: "x-envoy-original-path and its kin say nothing about the path",
      outcome: "deny",
    }),
    async () => {
      for (const name of ["x-envoy-original-path", "x-original-url", "x-rewrite-url", "x-forwarded-uri"]) {
        expectRefused(await stack.send("public", { path: "/admin", headers: [[name, "/public/x"]] }), 403, name);
      }
    },
  );

  securityTest(
    attack("A26", "M", {
      source: "normalisation twice",
      title: "the upstream gets the very path that was authorised",
      outcome: "one form everywhere",
    }),
    async () => {
      for (const path of [
        "/a/../public/b",
        "/public/%61",
        "/public/./x\\y",
        "/public/x;y=/../z",
        "/public/%2e%2e;/public/q",
      ]) {
        const answer = await stack.send("public", { path });
        for (const { path: seen } of answer.received) {
          expect(await pathStatuses("exact", [ALLOW_PUB], [seen])).toEqual({ [seen]: 200 });
          expect(seen).not.toMatch(/\/\.\.?[/;]|\\|%61/);
        }
      }
    },
  );
});

describe("through Envoy with the hardened profile", () => {
  let stack: SecurityStack;
  beforeAll(async () => {
    stack = await startSecurityStack({
      mode: "hardened",
      apps: { admin: [DENY_ADMIN], not: [ALLOW_NOT], private: [DENY_PRIVATE], public: [ALLOW_PUB] },
    });
  });
  afterAll(() => stack?.stop());

  async function statuses(app: string, paths: readonly string[]): Promise<Readonly<Record<string, number>>> {
    const found: Record<string, number> = {};
    for (const path of paths) {
      const { status, received } = await stack.send(app, { path });
      expect([path, received.length]).toEqual([path, status === 200 ? 1 : 0]);
      found[path] = status;
    }
    return found;
  }

  securityTest(
    attack("A01", "C", {
      mode: ["hardened"],
      source: NORMALIZATION,
      title: "repeated slashes do not hide a path from a DENY",
      outcome: "deny",
    }),
    async () => {
      const paths = ["//admin", "///admin", "/./admin", "/x/..//admin"];
      expect(await statuses("admin", paths)).toEqual(all(403, paths));
      expect(await statuses("admin", ["/other"])).toEqual({ "/other": 200 });
    },
  );

  securityTest(
    attack("A02", "C", {
      mode: ["hardened"],
      source: NORMALIZATION,
      title: "repeated slashes do not slip through an ALLOW of everything else",
      outcome: "deny",
    }),
    async () => {
      expect(await statuses("not", ["//admin", "/other"])).toEqual({ "//admin": 403, "/other": 200 });
    },
  );

  securityTest(
    attack("A03", "C", {
      mode: ["hardened"],
      source: NORMALIZATION,
      title: "escaped slashes and backslashes are refused",
      outcome: "400 by Envoy",
    }),
    async () => {
      const paths = [
        "/private%2Fsecret.html",
        "/private%2fsecret.html",
        "/private%5Csecret.html",
        "/public/..%2fadmin",
      ];
      expect(await statuses("private", paths)).toEqual(all(400, paths));
      expect(await statuses("private", ["/private\\secret.html"])).toEqual({ "/private\\secret.html": 403 });
    },
  );

  securityTest(
    attack("A06", "C", {
      mode: ["hardened"],
      source: "CVE-2021-39156, CVE-2021-32779, ISTIO-SECURITY-2021-008",
      title: "a fragment on the wire is refused",
      outcome: "400 by Envoy",
    }),
    async () => {
      expect(await statuses("admin", ["/admin#x", "/other#x"])).toEqual(all(400, ["/admin#x", "/other#x"]));
    },
  );

  securityTest(
    attack("A09", "H", {
      mode: ["hardened"],
      source: "CVE-2026-73553, CVE-2026-73511",
      title: "path parameters do not hide a path from a DENY",
      outcome: "deny",
    }),
    async () => {
      const paths = ["/admin;x=1", "/admin;", "/;x=y/admin", "/admin%3B"];
      expect(await statuses("admin", paths)).toEqual(all(403, paths));
    },
  );

  securityTest(
    attack("A10", "H", {
      mode: ["hardened"],
      source: "CVE-2026-73551",
      title: "dot segments with parameters do not climb out of what is allowed",
      outcome: "deny",
    }),
    async () => {
      const paths = ["/public/..;/admin", "/public/.;/../admin", "/public/../admin", "/public/;/../../admin"];
      expect(await statuses("public", paths)).toEqual(all(403, paths));
      expect(await statuses("public", ["/public/a;b=c/d"])).toEqual({ "/public/a;b=c/d": 200 });
    },
  );
});
