import { describe, expect } from "vitest";
import { SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { ALLOW_PUB, authorization, DENY_ADMIN, to } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);

describe("requests without a path of their own", () => {
  securityTest(
    attack("A21", "H", {
      source: "CVE-2026-73547",
      title: "a request without a path matches no path, and the query is never rewritten for it",
      outcome: "deny by default",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
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
    attack("A22", "M", {
      source: "odd request targets",
      title: "the path `*` is literal",
      outcome: "no match for any path that begins with a slash",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
        const asterisk = { method: "OPTIONS", path: "*" };
        expect(await statusesOf(await serverWith(mode, ALLOW_PUB), [asterisk])).toEqual([403]);
        expect(await statusesOf(await serverWith(mode, DENY_ADMIN), [asterisk])).toEqual([200]);
      }
    },
  );
});

describe("headers that name another path", () => {
  securityTest(
    attack("A24", "H", {
      source: "CVE-2023-27487",
      title: "x-envoy-original-path says nothing about the path",
      outcome: "deny",
    }),
    async () => {
      const headers = [["x-envoy-original-path", "/public/x"]] as const;
      for (const mode of SERVER_MODES) {
        expect(await statusesOf(await serverWith(mode, ALLOW_PUB), [{ path: "/admin", headers }])).toEqual([403]);
      }
    },
  );

  securityTest(
    attack("A25", "H", {
      source: "oauth2-proxy: X-Forwarded-Uri",
      title: "no header overrides the path or the method",
      outcome: "deny",
    }),
    async () => {
      const names = ["x-forwarded-uri", "x-original-url", "x-rewrite-url", "x-original-uri", "x-forwarded-prefix"];
      const method = authorization("allow-get", "ALLOW", to({ methods: ["GET"] }));
      for (const mode of SERVER_MODES) {
        const spoofed = names.map((name) => ({ path: "/admin", headers: [[name, "/public/x"]] as const }));
        expect(await statusesOf(await serverWith(mode, ALLOW_PUB), spoofed)).toEqual(names.map(() => 403));
        const overridden = { method: "DELETE", headers: [["x-http-method-override", "GET"]] as const };
        expect(await statusesOf(await serverWith(mode, method), [overridden])).toEqual([403]);
      }
    },
  );
});
