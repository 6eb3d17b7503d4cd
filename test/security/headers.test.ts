import { describe, expect } from "vitest";
import { mintToken } from "../support/jwt.ts";
import type { HeaderLine } from "../support/raw-http.ts";
import { SERVER_MODES, serverWith, statusesOf } from "./fixtures/check.ts";
import { lines } from "./fixtures/header-lines.ts";
import {
  authorization,
  GATEWAY,
  HDR_D,
  HDR_N,
  RA1_OUT,
  RA2,
  requestAuthentication,
  TO_APP,
  virtualService,
} from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("check", SERVER_MODES);

function otherIssuersToken(): Promise<string> {
  const claims = { iss: "other@secure.istio.io", sub: "o", exp: 4_102_444_800 };
  return mintToken(claims, { alg: "ES384" });
}

describe("one request", () => {
  securityTest(
    attack("C03", "M", {
      source: "Envoy's header matcher",
      title: "one line is one value, whatever commas it holds; where Envoy joined the lines, nothing is guessed",
      outcome: "no match; deny without encode_raw_headers",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
        const server = await serverWith(mode, HDR_D);
        const headers = lines("x-role", "user,admin");
        expect(
          await statusesOf(server, [{ headers }, { headers, joinedHeaders: true }, { joinedHeaders: true }]),
        ).toEqual([200, 403, 403]);
      }
    },
  );

  securityTest(
    attack("C04", "C", {
      source: "CVE-2021-32777, CVE-2020-25017",
      title: "a forbidden value counts in every line of a header",
      outcome: "deny",
    }),
    async () => {
      for (const [policy, forbidden] of [
        [HDR_D, "admin"],
        [HDR_N, "guest"],
      ] as const) {
        const orders = [
          [forbidden, "a", "b"],
          ["a", forbidden, "b"],
          ["a", "b", forbidden],
        ];
        const asks = orders.map((values) => ({ headers: lines("x-role", ...values) }));
        for (const mode of SERVER_MODES) {
          expect(await statusesOf(await serverWith(mode, policy), asks)).toEqual([403, 403, 403]);
        }
      }
    },
  );

  securityTest(
    attack("C06", "H", {
      source: "CVE-2019-9900",
      title: "a NUL anywhere in a request does not hide what comes after it",
      outcome: "400",
    }),
    async () => {
      const allow = authorization("allow-admin", "ALLOW", {
        when: [{ key: "request.headers[x-role]", values: ["admin"] }],
      });
      for (const mode of SERVER_MODES) {
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
    attack("C07", "C", {
      source: "CVE-2026-73552",
      title: "bytes that are no UTF-8 do not hide a header from a route's regular expression",
      outcome: "match; deny without encode_raw_headers",
    }),
    async () => {
      const routes = virtualService("by-header", [
        { match: [{ headers: { "x-role": { regex: "admin.*" } } }], directResponse: { status: 403 } },
        { route: TO_APP },
      ]);
      const value = Buffer.from([...Buffer.from("admin"), 0xff]);
      for (const mode of SERVER_MODES) {
        const server = await serverWith(mode, routes);
        const spoofed = { headers: [["x-role", value]] as const, gateways: GATEWAY };
        expect(
          await statusesOf(server, [spoofed, { gateways: GATEWAY }, { gateways: GATEWAY, joinedHeaders: true }]),
        ).toEqual([403, 200, 403]);
      }
    },
  );

  securityTest(
    attack("C08", "M", { source: "presence", title: "an empty header is there", outcome: "match, as Envoy" }),
    async () => {
      const deny = authorization("deny-present", "DENY", { when: [{ key: "request.headers[x-role]", values: ["*"] }] });
      for (const mode of SERVER_MODES) {
        expect(await statusesOf(await serverWith(mode, deny), [{ headers: lines("x-role", "") }, {}])).toEqual([
          403, 200,
        ]);
      }
    },
  );

  securityTest(
    attack("C09", "M", {
      source: "names of headers",
      title: "a header's name in a policy is the same in any case",
      outcome: "deny",
    }),
    async () => {
      const deny = authorization("deny-cased", "DENY", {
        when: [{ key: "request.headers[X-Role]", values: ["admin"] }],
      });
      const out = requestAuthentication("cased", { outputClaimToHeaders: [{ header: "X-Jwt-Sub", claim: "sub" }] });
      for (const mode of SERVER_MODES) {
        const server = await serverWith(mode, deny, out);
        expect(await statusesOf(server, [{ headers: lines("x-role", "admin") }])).toEqual([403]);
        expect((await server.check({ headers: lines("x-jwt-sub", "admin") })).removed).toEqual(["x-jwt-sub"]);
      }
    },
  );

  securityTest(
    attack("C13", "H", {
      source: "Envoy's jwt_authn, fix of 2026",
      title: "spoofed output headers go on every way that lets a request through",
      outcome: "removed",
    }),
    async () => {
      const spoofed = [...lines("x-jwt-sub", "admin"), ...lines("x_jwt_payload", "e30")];
      const preflight = {
        method: "OPTIONS",
        headers: [...spoofed, ...lines("origin", "http://a"), ...lines("access-control-request-method", "GET")],
      };
      for (const mode of SERVER_MODES) {
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
    attack("C14", "C", {
      source: "ISTIO-SECURITY-2020-002",
      title: "a request that still carries one of our own headers is not served",
      outcome: "deny",
    }),
    async () => {
      for (const mode of SERVER_MODES) {
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
    attack("C19", "M", {
      source: "CVE-2019-15226",
      title: "ten thousand headers cost time in proportion to their number",
      outcome: "an answer at once",
    }),
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
    attack("C21", "M", {
      source: "JavaScript: prototypes",
      title: "names of Object.prototype are names like others",
      outcome: "no match unless they were sent",
    }),
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
