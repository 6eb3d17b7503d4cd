import { startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startEchoUpstreams } from "../support/echo-upstream.ts";
import { startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap } from "../support/envoy-config.ts";
import { type FeatureStack, HTTPBIN_APP, startFeatureStack } from "../support/feature-stack.ts";
import { sendRaw } from "../support/raw-http.ts";
import { testTransport } from "../support/test-transport.ts";
import { waitFor } from "../support/wait-for.ts";

const HTTPBIN = { namespace: "foo", labels: { app: "httpbin" } };

const ALLOW_ALL = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: allow-all, namespace: foo }
spec: { rules: [{}] }
`;

describe("a server that never received a policy", () => {
  it("lets nothing pass: Envoy answers 503", async () => {
    const server = await startAuthzServer({
      controller: "unix:/nowhere/xds.sock",
      listeners: [{ address: "127.0.0.1:0", identity: null }],
      transport: testTransport(),
      drain: { waitMs: 0, deadlineMs: 1_000 },
      log: pino({ level: "silent" }),
      registry: new Registry(),
    });
    const upstreams = await startEchoUpstreams([HTTPBIN_APP]);
    const envoy = await startEnvoy(
      buildEnvoyBootstrap({
        authzPort: Number(server.checkAddresses[0]?.split(":").at(-1)),
        clusters: new Map([[HTTPBIN_APP, upstreams.port(HTTPBIN_APP)]]),
        listeners: [{ name: "httpbin", profile: "istio-sidecar", identity: HTTPBIN }],
      }),
    );
    try {
      for (const method of ["GET", "HEAD"]) {
        const request = { method, authority: "httpbin", path: "/headers", headers: [] };
        expect(await sendRaw(envoy.listenerPort("httpbin"), request)).toMatchObject({ status: 503, body: "" });
      }
      expect(upstreams.takeReceived()).toEqual([]);
    } finally {
      await envoy.stop();
      await upstreams.stop();
      await server.stop();
    }
  });
});

describe("requests that can't be judged", () => {
  let stack: FeatureStack;

  beforeAll(async () => {
    stack = await startFeatureStack({ policies: ALLOW_ALL });
  });
  afterAll(() => stack?.stop());

  it("are refused when Envoy does not say whose it is, and counted", async () => {
    expect(await unknownWorkloads(stack)).toBe(0);
    for (const method of ["GET", "HEAD"]) {
      const { response, received } = await stack.send(method, { at: "nobody" });
      expect(response.status).toBe(403);
      expect(received).toEqual([]);
    }
    expect(await unknownWorkloads(stack)).toBe(2);
  });

  it("are refused when they carry a header that only Gatehouse sets, where Envoy has not removed it", async () => {
    const upstreams = await startEchoUpstreams([HTTPBIN_APP]);
    const envoy = await startEnvoy(
      withoutEarlyMutations(
        buildEnvoyBootstrap({
          authzPort: stack.gatehouse.checkPort,
          clusters: new Map([[HTTPBIN_APP, upstreams.port(HTTPBIN_APP)]]),
          listeners: [{ name: "httpbin", profile: "istio-sidecar", identity: HTTPBIN }],
        }),
      ),
    );
    try {
      const send = (name: string) =>
        sendRaw(envoy.listenerPort("httpbin"), {
          method: "GET",
          authority: "httpbin",
          path: "/headers",
          headers: [[name, HTTPBIN_APP]],
        });
      expect((await send("x-other")).status).toBe(200);
      upstreams.takeReceived();
      for (const name of ["x-gatehouse-cluster", "X-Gatehouse-Route", "x_gatehouse_cluster"]) {
        expect((await send(name)).status, name).toBe(403);
      }
      expect(upstreams.takeReceived()).toEqual([]);
    } finally {
      await envoy.stop();
      await upstreams.stop();
    }
  });
});

describe("Gatehouse that has stopped", () => {
  it("lets nothing pass: Envoy answers 503", async () => {
    const stack = await startFeatureStack({ policies: ALLOW_ALL });
    await stack.expect({ at: "httpbin" }, { status: 200, upstream: HTTPBIN_APP });
    await stack.gatehouse.stop();
    await waitFor("Envoy refuses", async () => (await stack.send("GET", { at: "httpbin" })).response.status === 503);
    await stack.expect({ at: "httpbin" }, { status: 503, body: "" });
    await stack.envoy.stop();
  });
});

async function unknownWorkloads(stack: FeatureStack): Promise<number> {
  const line = /^gatehouse_authz_unknown_workload_total (\d+)$/m.exec(await stack.gatehouse.metrics());
  return Number(line?.[1]);
}

/** The configuration of somebody who left out the part that removes such headers. */
function withoutEarlyMutations(bootstrap: unknown) {
  return JSON.parse(
    JSON.stringify(bootstrap, (key, value) => (key === "early_header_mutation_extensions" ? undefined : value)),
  );
}
