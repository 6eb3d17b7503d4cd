import { afterAll, beforeAll, describe, expect } from "vitest";
import { mintTestToken } from "../support/jwt.ts";
import { expectRefused, type SecurityStack, startSecurityStack } from "./fixtures/envoy-stack.ts";
import { lines } from "./fixtures/header-lines.ts";
import { HDR_D, HDR_N, RA1_OUT, requestAuthentication, VS1 } from "./fixtures/policies.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("envoy", ["exact"]);

const MULTIPLE = "CVE-2026-26308";

describe("through Envoy with the profiles of Istio", () => {
  let stack: SecurityStack;
  let token: string;
  beforeAll(async () => {
    token = await mintTestToken({ groups: ["group2"] });
    stack = await startSecurityStack({
      mode: "exact",
      apps: { "hdr-d": [HDR_D], "hdr-n": [HDR_N], out: [RA1_OUT], gateway: [VS1, requestAuthentication("gw")] },
      gateways: ["gateway"],
    });
  });
  afterAll(() => stack?.stop());

  securityTest(
    attack("C01", "C", {
      source: MULTIPLE,
      title: "of two lines of a header each is looked at by a DENY",
      outcome: "deny",
    }),
    async () => {
      for (const values of [
        ["user", "admin"],
        ["admin", "user"],
        ["a", "b", "admin"],
      ]) {
        expectRefused(await stack.send("hdr-d", { headers: lines("x-role", ...values) }), 403, values);
      }
      expect((await stack.send("hdr-d", { headers: lines("x-role", "user", "user") })).status).toBe(200);
    },
  );

  securityTest(
    attack("C02", "C", {
      source: MULTIPLE,
      title: "of two lines of a header each is looked at by an ALLOW of everything else",
      outcome: "deny",
    }),
    async () => {
      for (const values of [
        ["ok", "guest"],
        ["guest", "ok"],
      ]) {
        expectRefused(await stack.send("hdr-n", { headers: lines("x-role", ...values) }), 403, values);
      }
    },
  );

  securityTest(
    attack("C05", "H", { source: "CVE-2019-18802", title: "blanks around a value are no part of it", outcome: "deny" }),
    async () => {
      for (const value of ["admin ", " admin", "admin \t ", "\tadmin"]) {
        expectRefused(
          await stack.sendBytes("hdr-d", `GET / HTTP/1.1\r\nHost: a\r\nX-Role:${value}\r\nConnection: close\r\n\r\n`),
          403,
          value,
        );
      }
    },
  );

  securityTest(
    attack("C06", "H", { source: "CVE-2019-9900", title: "a NUL in a header is refused", outcome: "400 by Envoy" }),
    async () => {
      for (const value of ["admin\0", "\0admin", "a\0admin"]) {
        expectRefused(
          await stack.sendBytes("hdr-d", `GET / HTTP/1.1\r\nHost: a\r\nX-Role: ${value}\r\nConnection: close\r\n\r\n`),
          400,
          value,
        );
      }
    },
  );

  securityTest(
    attack("C10", "C", {
      source: "spoofed output",
      title: "without a token no output header reaches an upstream",
      outcome: "removed",
    }),
    async () => {
      const spoofed = [
        ...lines("x-jwt-sub", "admin", "root"),
        ...lines("X-JWT-Payload", "e30"),
        ...lines("X-Jwt-C", "c"),
      ];
      const { received } = await stack.send("out", { headers: spoofed });
      expect(received).toHaveLength(1);
      expect(received[0]?.headers.filter(([name]) => name.startsWith("x-jwt"))).toEqual([]);
    },
  );

  securityTest(
    attack("C11", "C", {
      source: "spoofed output",
      title: "an output header whose claim the token lacks is removed, others are ours alone",
      outcome: "removed; overwritten",
    }),
    async () => {
      const spoofed = [...lines("x-jwt-c", "admin", "admin"), ...lines("x-jwt-sub", "admin", "root")];
      const { received } = await stack.send("out", { token, headers: spoofed });
      const outputs = received[0]?.headers.filter(([name]) => name === "x-jwt-c" || name === "x-jwt-sub");
      expect(outputs).toEqual([["x-jwt-sub", "testing@secure.istio.io"]]);
    },
  );

  securityTest(
    attack("C12", "C", {
      source: "CVE-2025-64484",
      title: "an underscore for a dash does not save a spoofed output header",
      outcome: "removed",
    }),
    async () => {
      const spoofed = [...lines("x_jwt_sub", "admin"), ...lines("X-Jwt_Sub", "admin"), ...lines("X_JWT-c", "c")];
      for (const sent of [{ headers: spoofed }, { headers: spoofed, token }]) {
        const { received } = await stack.send("out", sent);
        expect(received).toHaveLength(1);
        expect(received[0]?.headers.filter(([name]) => /jwt.(sub|c)$/.test(name) && name.includes("_"))).toEqual([]);
      }
    },
  );

  securityTest(
    attack("C14", "C", {
      source: "ISTIO-SECURITY-2020-002",
      title: "a client's routing header chooses no route",
      outcome: "as without it: 404",
    }),
    async () => {
      const names = ["x-gatehouse-cluster", "X-Gatehouse-Route", "x_gatehouse_cluster", "x-gatehouse_cluster"];
      for (const name of names) {
        expectRefused(await stack.send("gateway", { headers: lines(name, "app.foo.svc.cluster.local:80") }), 404, name);
      }
    },
  );

  securityTest(
    attack("C20", "M", {
      source: "hop-by-hop headers",
      title: "the Connection header takes no output header away",
      outcome: "the upstream gets it",
    }),
    async () => {
      const bytes = `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nConnection: close, x-jwt-sub\r\n\r\n`;
      const { received } = await stack.sendBytes("out", bytes);
      expect(received[0]?.headers.filter(([name]) => name === "x-jwt-sub")).toEqual([
        ["x-jwt-sub", "testing@secure.istio.io"],
      ]);
    },
  );
});

describe("through Envoy with the hardened profile", () => {
  let stack: SecurityStack;
  beforeAll(async () => {
    stack = await startSecurityStack({ mode: "hardened", apps: { "hdr-d": [HDR_D], out: [RA1_OUT] } });
  });
  afterAll(() => stack?.stop());

  securityTest(
    attack("C12", "C", {
      mode: ["hardened"],
      source: "CVE-2025-64484",
      title: "a header name with an underscore is refused, one of ours removed",
      outcome: "400 by Envoy",
    }),
    async () => {
      for (const [app, name] of [
        ["out", "x_jwt_sub"],
        ["hdr-d", "x_role"],
        ["hdr-d", "X-Role_"],
      ] as const) {
        expectRefused(await stack.send(app, { headers: lines(name, "admin") }), 400, name);
      }
    },
  );

  securityTest(
    attack("C16", "C", {
      mode: ["hardened"],
      source: "x-forwarded-client-cert",
      title: "a client's x-forwarded-client-cert reaches no upstream",
      outcome: "removed by Envoy",
    }),
    async () => {
      const { received } = await stack.send("out", {
        headers: lines("x-forwarded-client-cert", "URI=spiffe://x/ns/a/sa/b"),
      });
      expect(received.flatMap(({ headers }) => headers).filter(([name]) => name === "x-forwarded-client-cert")).toEqual(
        [],
      );
    },
  );
});
