import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type EchoUpstreams, startEchoUpstreams } from "../support/echo-upstream.ts";
import { type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap, type EnvoyProfile } from "../support/envoy-config.ts";
import { type RunningGatehouse, startGatehouse } from "../support/gatehouse.ts";
import { demoToken, groupsScopeToken } from "../support/jwt.ts";
import { type HeaderLine, sendRaw } from "../support/raw-http.ts";

const EXAMPLE = readFileSync(new URL("../../deploy/examples/ingress-gateway.yaml", import.meta.url), "utf8");
const INGRESS = {
  namespace: "istio-system",
  labels: { app: "istio-ingressgateway", istio: "ingressgateway" },
  gateways: ["foo/httpbin-gateway"],
  serverPort: 80,
};

describe.each<{ profile: EnvoyProfile; routing: "cluster" | "header"; cluster: string }>([
  { profile: "istio-gateway", routing: "cluster", cluster: "httpbin.foo.svc.cluster.local:8000" },
  { profile: "hardened", routing: "cluster", cluster: "httpbin.foo.svc.cluster.local:8000" },
  { profile: "hardened-header", routing: "header", cluster: "httpbin" },
])("deploy/envoy/$profile.yaml with deploy/examples/ingress-gateway.yaml and routing by $routing", (setup) => {
  let gatehouse: RunningGatehouse;
  let upstreams: EchoUpstreams;
  let envoy: EnvoyProcess;

  beforeAll(async () => {
    gatehouse = await startGatehouse({ policies: EXAMPLE, settings: { routing: setup.routing } });
    upstreams = await startEchoUpstreams([setup.cluster]);
    envoy = await startEnvoy(
      buildEnvoyBootstrap({
        authzPort: gatehouse.checkPort,
        clusters: new Map([[setup.cluster, upstreams.port(setup.cluster)]]),
        listeners: [{ name: "ingress", profile: setup.profile, identity: INGRESS }],
      }),
    );
  });
  afterAll(async () => {
    await envoy?.stop();
    await upstreams?.stop();
    await gatehouse?.stop();
  });

  it.each([
    { who: "nobody", token: () => undefined, status: 404 },
    { who: "a bearer of rubbish", token: () => "deadbeef", status: 401 },
    { who: "a token without groups", token: demoToken, status: 404 },
    { who: "a token of group1", token: groupsScopeToken, status: 200 },
  ])("answers $status to $who", async ({ token, status }) => {
    upstreams.takeReceived();
    const text = await token();
    const bearer: readonly HeaderLine[] = text === undefined ? [] : [["authorization", `Bearer ${text}`]];
    for (const method of ["GET", "HEAD"]) {
      const spoofed: HeaderLine = ["x-gatehouse-route", "foo/httpbin/group1"];
      const request = { method, authority: "example.com", path: "/headers", headers: [...bearer, spoofed] };
      expect((await sendRaw(envoy.listenerPort("ingress"), request)).status).toBe(status);
    }
    const received = upstreams.takeReceived();
    expect(received.map(({ method }) => method)).toEqual(status === 200 ? ["GET", "HEAD"] : []);
    const names = received.flatMap(({ headers }) => headers.map(([name]) => name));
    expect(names.filter((name) => name.startsWith("x-gatehouse"))).toEqual([]);
  });
});
