import { expect, it } from "vitest";
import { UserError } from "./user-error.ts";
import { type ControllerTlsSettings, toAuthzServerTls, toControllerTls } from "./xds-tls-settings.ts";

const OFF: ControllerTlsSettings = {
  xdsTls: "off",
  xdsTlsDir: null,
  xdsCaSecret: "gatehouse-ca",
  xdsClientSecret: "gatehouse-authz-server-tls",
  xdsServerName: null,
  xdsClientName: null,
};

it("names both sides after the namespace", () => {
  expect(toControllerTls(OFF, "prod")).toBeNull();
  expect(toControllerTls({ ...OFF, xdsTls: "self-managed" }, "prod")).toEqual({
    kind: "self-managed",
    namespace: "prod",
    authoritySecret: "gatehouse-ca",
    clientSecret: "gatehouse-authz-server-tls",
    serverName: "gatehouse-controller.prod.svc",
    clientName: "gatehouse-authz-server.prod.svc",
  });
  expect(toControllerTls({ ...OFF, xdsTls: "files", xdsTlsDir: "/tls" }, "prod")).toEqual({
    kind: "files",
    directory: "/tls",
    serverName: null,
    clientName: "gatehouse-authz-server.prod.svc",
  });
});

it.each([
  ["files without a directory", { ...OFF, xdsTls: "files" }],
  ["a directory without files", { ...OFF, xdsTlsDir: "/tls" }],
  ["a wildcard", { ...OFF, xdsTls: "self-managed", xdsClientName: "*.prod.svc" }],
  ["upper case", { ...OFF, xdsTls: "self-managed", xdsServerName: "Controller.prod.svc" }],
  ["upper case in files", { ...OFF, xdsTls: "files", xdsTlsDir: "/tls", xdsServerName: "Controller.prod.svc" }],
] as const)("refuses %s", (_what, settings) => {
  expect(() => toControllerTls(settings, "prod")).toThrow(UserError);
});

it("takes policy from this machine without TLS, from elsewhere only with it", () => {
  const plain = { xdsTlsDir: null, xdsServerName: null, xdsClientName: null };
  for (const local of ["127.0.0.1:9002", "127.1.2.3:1", "[::1]:9002", "localhost:9002", "unix:/run/xds.sock"]) {
    expect(toAuthzServerTls(plain, local)).toBeNull();
  }
  for (const remote of ["10.0.0.1:9002", "controller.prod.svc:9002", "127.0.0.1.evil.com:9002", "[2001:db8::1]:9002"]) {
    expect(() => toAuthzServerTls(plain, remote), remote).toThrow("without TLS");
  }
  const secure = { ...plain, xdsTlsDir: "/tls" };
  expect(toAuthzServerTls(secure, "controller.prod.svc:9002")).toEqual({
    directory: "/tls",
    serverName: "controller.prod.svc",
    clientName: null,
  });
  expect(toAuthzServerTls({ ...secure, xdsClientName: "authz.prod.svc" }, "a.prod.svc:1")).toMatchObject({
    clientName: "authz.prod.svc",
  });
  expect(() => toAuthzServerTls({ ...secure, xdsClientName: "*.prod.svc" }, "a.prod.svc:1")).toThrow(
    "--xds-client-name",
  );
  expect(() => toAuthzServerTls(secure, "10.0.0.1:9002")).toThrow("--xds-server-name");
});
