import { createServer } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type EchoUpstreams, startEchoUpstreams } from "../../support/echo-upstream.ts";
import { type EnvoyBootstrap, type EnvoyProcess, startEnvoy } from "../../support/envoy.ts";
import { buildEnvoyBootstrap } from "../../support/envoy-config.ts";
import { type RawResponse, sendRaw } from "../../support/raw-http.ts";
import { type ScriptedAuthz, startScriptedAuthz } from "../../support/scripted-authz.ts";

const CLUSTER = "a.foo.svc.cluster.local:80";
const GATEWAY = {
  namespace: "istio-system",
  labels: { istio: "ingressgateway" },
  gateways: ["foo/gw"],
  serverPort: 80,
};

describe("what external authorization can and can't do", () => {
  let authz: ScriptedAuthz;
  let upstreams: EchoUpstreams;
  let envoy: EnvoyProcess;
  let bare: EnvoyProcess;
  let alone: EnvoyProcess;

  beforeAll(async () => {
    authz = await startScriptedAuthz();
    upstreams = await startEchoUpstreams([CLUSTER]);
    envoy = await startEnvoy(bootstrap(authz.port));
    bare = await startEnvoy(withoutCatchAll(bootstrap(authz.port)));
    alone = await startEnvoy(bootstrap(await unusedPort()));
  });
  afterAll(async () => {
    for (const part of [envoy, bare, alone, upstreams, authz]) await part?.stop();
  });
  beforeEach(() => {
    authz.takeSeen();
    upstreams.takeReceived();
  });

  function bootstrap(authzPort: number): EnvoyBootstrap {
    return buildEnvoyBootstrap({
      authzPort,
      clusters: new Map([[CLUSTER, upstreams.port(CLUSTER)]]),
      listeners: [{ name: "gateway", profile: "istio-gateway", identity: GATEWAY }],
      checkTimeoutMs: 2_000,
    });
  }

  it("F3 keeps the first route without a change of the request, and takes the new one with it", async () => {
    authz.answer({ kind: "allow" });
    expect(await get(envoy)).toMatchObject({ status: 404 });
    authz.answer({ kind: "allow", set: [["x-gatehouse-cluster", CLUSTER]] });
    expect(await get(envoy)).toMatchObject({ status: 200 });
    expect(upstreams.takeReceived()).toHaveLength(1);
  });

  it("F4 is not asked where the listener has no route at all, which is why the profiles have one", async () => {
    authz.answer({ kind: "deny", status: 401, body: "Jwt is expired" });
    expect(await get(bare)).toMatchObject({ status: 404, body: "" });
    expect(authz.takeSeen()).toEqual([]);
    expect(await get(envoy)).toMatchObject({ status: 401, body: "Jwt is expired" });
  });

  // 403 is Envoy's default; the profiles say 503, so that a client can tell it from a refusal.
  it("F5 answers with an empty body while no server can be asked, and forwards nothing", async () => {
    expect(await get(alone)).toMatchObject({ status: 503, body: "" });
    expect(upstreams.takeReceived()).toEqual([]);
  });
});

function get(envoy: EnvoyProcess): Promise<RawResponse> {
  return sendRaw(envoy.listenerPort("gateway"), { method: "GET", authority: "h.com", path: "/", headers: [] });
}

function withoutCatchAll(bootstrap: EnvoyBootstrap): EnvoyBootstrap {
  const isKept = (route: object): boolean => !("direct_response" in route);
  return JSON.parse(JSON.stringify(bootstrap), (key, value) =>
    key === "routes" && Array.isArray(value) ? value.filter(isKept) : value,
  );
}

async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => void server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
