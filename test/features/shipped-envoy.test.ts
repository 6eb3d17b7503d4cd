import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type EchoUpstreams, startEchoUpstreams } from "../support/echo-upstream.ts";
import { type EnvoyProcess, startEnvoy, validateEnvoyConfig } from "../support/envoy.ts";
import { buildEnvoyBootstrap } from "../support/envoy-config.ts";
import { headerValue, type RawRequest, type RawResponse, sendRaw } from "../support/raw-http.ts";
import { type ScriptedAuthz, startScriptedAuthz } from "../support/scripted-authz.ts";

const SHIPPED = new URL("../../deploy/envoy/", import.meta.url);
const files = readdirSync(SHIPPED).filter((file) => file.endsWith(".yaml"));
const INGRESS = {
  namespace: "istio-system",
  labels: { app: "ingress", istio: "ingress%gateway" },
  gateways: ["foo/httpbin-gateway"],
  serverPort: 80,
};
const HTTPBIN = { namespace: "foo", labels: { app: "httpbin" } };

describe.each(files)("deploy/envoy/%s", (file) => {
  const text = readFileSync(new URL(file, SHIPPED), "utf8");

  it("is accepted by envoy --mode validate", async () => {
    const { ok, output } = await validateEnvoyConfig(fileURLToPath(new URL(file, SHIPPED)));
    expect(ok, output).toBe(true);
  });

  it("never serves what could not be checked", () => {
    expect(text).not.toMatch(/failure_mode_allow(_header_add)?: true/);
    expect(checkFilter(text)).toMatchObject({
      failure_mode_allow: false,
      status_on_error: { code: "ServiceUnavailable" },
    });
  });

  it("sets up the check and the cluster of the authorizer as all the others do", () => {
    const reference = readFileSync(new URL("istio-gateway.yaml", SHIPPED), "utf8");
    expect(withoutOwnParts(checkFilter(text))).toEqual(withoutOwnParts(checkFilter(reference)));
    expect(parse(text).static_resources.clusters[0]).toEqual(parse(reference).static_resources.clusters[0]);
  });
});

describe("Envoy with a shipped configuration and a scripted authorizer", () => {
  let authz: ScriptedAuthz;
  let upstreams: EchoUpstreams;
  let istio: EnvoyProcess;
  let hardened: EnvoyProcess;

  beforeAll(async () => {
    authz = await startScriptedAuthz();
    upstreams = await startEchoUpstreams(["httpbin", "httpbin/v1"]);
    const clusters = new Map([
      ["httpbin", upstreams.port("httpbin")],
      ["httpbin.foo.svc.cluster.local:8000/v1", upstreams.port("httpbin/v1")],
    ]);
    const common = { authzPort: authz.port, clusters, checkTimeoutMs: 1_000 };
    istio = await startEnvoy(
      buildEnvoyBootstrap({
        ...common,
        listeners: [
          { name: "gateway", profile: "istio-gateway", identity: INGRESS, proxyProtocol: true },
          { name: "sidecar", profile: "istio-sidecar", identity: HTTPBIN, localCluster: "httpbin" },
        ],
      }),
    );
    hardened = await startEnvoy(
      buildEnvoyBootstrap({
        ...common,
        listeners: [
          { name: "gateway", profile: "hardened", identity: INGRESS },
          { name: "own-routes", profile: "hardened-header", identity: INGRESS },
        ],
      }),
    );
  });

  beforeEach(() => {
    authz.answer({ kind: "allow", remove: ["x-not-sent"] });
    authz.takeSeen();
    upstreams.takeReceived();
  });

  afterAll(async () => {
    await istio?.stop();
    await hardened?.stop();
    await upstreams?.stop();
    authz?.stop();
  });

  const gateway = (request: Partial<RawRequest> = {}) => send(istio.listenerPort("gateway"), request);
  const sidecar = (request: Partial<RawRequest> = {}) => send(istio.listenerPort("sidecar"), request);
  const strict = (request: Partial<RawRequest> = {}) => send(hardened.listenerPort("gateway"), request);
  const ownRoutes = (request: Partial<RawRequest> = {}) => send(hardened.listenerPort("own-routes"), request);

  it("tells the authorizer who it is", async () => {
    await gateway();
    await sidecar();
    const keys = ["gatehouse-namespace", "gatehouse-labels", "gatehouse-gateways", "gatehouse-server-port"];
    expect(authz.takeSeen().map(({ metadata }) => keys.map((key) => metadata.get(key)[0]))).toEqual([
      ["istio-system", "app=ingress,istio=ingress%gateway", "foo/httpbin-gateway", "80"],
      ["foo", "app=httpbin", undefined, undefined],
    ]);
  });

  it("asks before it answers 404 to a request without a route", async () => {
    authz.answer({ kind: "deny", status: 401, body: "Jwt is expired" });
    expect(await gateway({ path: "/nowhere" })).toMatchObject({ status: 401, body: "Jwt is expired" });
    authz.answer({ kind: "allow" });
    expect(await gateway({ path: "/nowhere" })).toMatchObject({ status: 404, body: "" });
  });

  it("removes routing headers of the client, in every spelling, before it chooses the first route", async () => {
    const response = await gateway({
      headers: [
        ["X-Gatehouse-Cluster", "httpbin"],
        ["x_gatehouse_cluster", "httpbin"],
        ["x-gatehouse_route", "foo/httpbin/0"],
        ["x-kept", "1"],
      ],
    });
    expect(response.status).toBe(404);
    const names = authz.takeSeen().flatMap(({ headers }) => headers.map(([name]) => name));
    expect(names).toContain("x-kept");
    expect(names.filter((name) => name.includes("gatehouse"))).toEqual([]);
  });

  it("sends the request to the cluster that the authorizer names, without the header that named it", async () => {
    authz.answer({
      kind: "allow",
      set: [
        ["x-gatehouse-cluster", "httpbin.foo.svc.cluster.local:8000/v1"],
        ["x-gatehouse-route", "foo/httpbin/0"],
        [":path", "/rewritten?a=b"],
        [":authority", "other"],
      ],
      remove: ["x-removed"],
    });
    const response = await gateway({ headers: [["x-removed", "1"]] });
    expect(response.status).toBe(200);
    const [received] = upstreams.takeReceived();
    expect(received).toMatchObject({ upstream: "httpbin/v1", path: "/rewritten?a=b", authority: "other" });
    const names = received?.headers.map(([name]) => name) ?? [];
    expect(names.filter((name) => name.startsWith("x-gatehouse") || name === "x-removed")).toEqual([]);
  });

  it("answers 503 when the named cluster does not exist", async () => {
    authz.answer({ kind: "allow", set: [["x-gatehouse-cluster", "nowhere.foo.svc.cluster.local:80"]] });
    expect((await gateway()).status).toBe(503);
  });

  it("passes on what the PROXY protocol says about both ends", async () => {
    await gateway({ proxy: { sourceIp: "10.1.2.3", destinationPort: 8080 } });
    expect(authz.takeSeen()).toMatchObject([{ sourceAddress: "10.1.2.3", destinationPort: 8080 }]);
  });

  it("asks again when a replica is unavailable, and answers 503 when none is left", async () => {
    authz.answer({ kind: "fail", code: status.UNAVAILABLE });
    expect(await sidecar()).toMatchObject({ status: 503, body: "" });
    expect(authz.takeSeen()).toHaveLength(3);
    expect(upstreams.takeReceived()).toEqual([]);
  });

  it.each([
    ["fails", { kind: "fail", code: status.INTERNAL }],
    ["does not answer in time", { kind: "hang" }],
  ] as const)("answers 503 without asking again when the check %s", async (_name, answer) => {
    authz.answer(answer);
    expect(await sidecar()).toMatchObject({ status: 503, body: "" });
    expect(authz.takeSeen()).toHaveLength(1);
    expect(upstreams.takeReceived()).toEqual([]);
  });

  it("refuses an answer with an illegal header instead of writing it to the upstream", async () => {
    authz.answer({ kind: "allow", set: [["x-claim", "a\r\nx-evil: 1"]] });
    expect((await sidecar()).status).toBe(500);
    expect(upstreams.takeReceived()).toEqual([]);
  });

  it("serves the local application as a sidecar, with the path that was checked", async () => {
    const response = await sidecar({ method: "HEAD", path: "/a/../b//c%2fd\\e?q" });
    expect(response).toMatchObject({ status: 200, body: "" });
    expect(upstreams.takeReceived()).toMatchObject([{ upstream: "httpbin", method: "HEAD", path: "/b//c%2fd/e?q" }]);
    expect(authz.takeSeen()[0]?.headers).toContainEqual([":path", "/b//c%2fd/e?q"]);
  });

  it("serves a path with a fragment in the Istio profiles, as Istio does, and refuses it when hardened", async () => {
    expect((await sidecar({ path: "/a#b" })).status).toBe(200);
    expect(upstreams.takeReceived()).toMatchObject([{ path: "/a" }]);
    expect((await strict({ path: "/a#b" })).status).toBe(400);
  });

  it.each([
    ["an escaped slash in the path", { path: "/a%2fb" }],
    ["an escaped backslash in the path", { path: "/a%5Cb" }],
    ["an underscore in a header name", { headers: [["x_role", "admin"]] }],
  ] as const)("answers 400 to %s when hardened", async (_name, request) => {
    expect((await strict(request)).status).toBe(400);
    expect(authz.takeSeen()).toEqual([]);
  });

  it("shows policy and upstream one form of path and host when hardened", async () => {
    authz.answer({ kind: "allow", set: [["x-gatehouse-cluster", "httpbin"]] });
    expect((await strict({ path: "/a//b/../c", authority: "secret.com.:8080" })).status).toBe(200);
    expect(upstreams.takeReceived()).toMatchObject([{ path: "/a/c", authority: "secret.com" }]);
  });

  it.each(["transfer-encoding", "content-length", "connection"])(
    "does not let an answer set %s when hardened",
    async (name) => {
      authz.answer({
        kind: "allow",
        set: [
          ["x-gatehouse-cluster", "httpbin"],
          [name, "0"],
        ],
      });
      expect((await strict()).status).toBe(500);
      expect(upstreams.takeReceived()).toEqual([]);
    },
  );

  it("follows its own routes by x-gatehouse-route in header mode", async () => {
    expect((await ownRoutes()).status).toBe(404);
    expect(await ownRoutes({ path: "/healthz" })).toMatchObject({ status: 200, body: "ok\n" });
    authz.answer({ kind: "allow", set: [["x-gatehouse-route", "foo/httpbin/group1"]] });
    const response = await ownRoutes();
    expect([response.status, headerValue(response, "x-upstream")]).toEqual([200, "echo"]);
    expect(upstreams.takeReceived()).toMatchObject([{ upstream: "httpbin" }]);
  });

  it("keeps host and method out of reach of the authorizer in header mode", async () => {
    authz.answer({
      kind: "allow",
      set: [
        ["x-gatehouse-route", "foo/httpbin/group1"],
        [":authority", "other"],
      ],
    });
    expect((await ownRoutes()).status).toBe(500);
  });
});

function send(port: number, request: Partial<RawRequest>): Promise<RawResponse> {
  return sendRaw(port, { method: "GET", authority: "httpbin.example.com", path: "/headers", headers: [], ...request });
}

function checkFilter(text: string): Record<string, unknown> {
  const listener = parse(text).static_resources.listeners[0];
  return listener.filter_chains[0].filters[0].typed_config.http_filters[0].typed_config;
}

/** What the profiles have in common: all but who they are and which headers may be changed. */
function withoutOwnParts(filter: Record<string, unknown>): unknown {
  const { decoder_header_mutation_rules: _rules, ...common } = structuredClone(filter);
  return JSON.parse(JSON.stringify(common, (key, value) => (key === "initial_metadata" ? undefined : value)));
}
