import { startAuthzServer } from "@gatehouse/authz-server";
import { startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CheckClient, connectCheckClient } from "../../support/check-client.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";

const PODS = "/api/v1/namespaces/foo/pods";
/** Where the checks of `connectCheckClient` go to. */
const ADDRESS = "10.0.0.2";

let server: ApiServer;
let client: CheckClient;
const registry = new Registry();
const parts: { stop(): void | Promise<void> }[] = [];

beforeAll(async () => {
  server = await startApiServer();
  await server.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: foo }
---
apiVersion: v1
kind: ServiceAccount
metadata: { name: default, namespace: foo }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny-httpbin, namespace: foo }
spec:
  action: DENY
  selector: { matchLabels: { app: httpbin } }
  rules: [{ to: [{ operation: { paths: [/headers] } }] }]
`);
  const log = pino({ level: "silent" });
  const controller = await startController({
    source: { kind: "kubernetes", workloadIdentities: true },
    kubernetes: { kubeconfig: server.kubeconfig, namespace: "foo", podName: "test" },
    xdsAddress: "127.0.0.1:0",
    log,
    registry,
  });
  const authz = await startAuthzServer({
    controller: controller.xdsAddress,
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    workloadIdentities: true,
    log,
    registry: new Registry(),
    drain: { waitMs: 0, deadlineMs: 1000 },
  });
  client = connectCheckClient(Number(authz.checkAddresses[0]?.split(":")[1]));
  parts.push(client, authz, controller);
  await waitFor("policy is enforced", () => authz.setVersion() !== null);
});
afterAll(async () => {
  for (const part of parts) await part.stop();
  await server?.stop();
});

/** As an Envoy asks that leaves it to the destination's address. */
async function ask(): Promise<{ readonly code: number; readonly status: number }> {
  const { code, status } = await client.check({
    namespace: "",
    labels: "",
    path: "/headers",
    contextExtensions: { "gatehouse-workload": "auto" },
  });
  return { code, status };
}

/** What the kubelet does, where there is one. */
async function runPod(name: string, app: string, podIP: string, spec: object = {}): Promise<void> {
  const metadata = { name, labels: { app } };
  const containers = [{ name: "a", image: "a" }];
  await server.client.create(PODS, { apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, containers } });
  const status = { phase: "Running", podIP, podIPs: [{ ip: podIP }] };
  await server.client.patch(`${PODS}/${name}/status`, { status });
}

const removePod = (name: string) => server.client.delete(`${PODS}/${name}?gracePeriodSeconds=0`);
const publishes = async () =>
  (await registry.getSingleMetric("gatehouse_controller_publish_total")?.get())?.values[0]?.value;
/** Resources that went to the server, of all kinds. */
const workloads = async () =>
  (await registry.getSingleMetric("gatehouse_controller_resources_sent_total")?.get())?.values[0]?.value ?? 0;
const DENIED = { code: 7, status: 403 };

test("an address is denied while nobody, or more than one pod, is known to have it; pods make no new policy", async () => {
  const before = await publishes();
  expect(await ask()).toEqual(DENIED);

  await runPod("sleep-1", "sleep", ADDRESS);
  await waitFor("sleep is found, which no policy denies", async () => (await ask()).code === 0);

  await runPod("httpbin-1", "httpbin", ADDRESS);
  await waitFor("nobody can be told from the address of two", async () => (await ask()).code !== 0);

  await removePod("httpbin-1");
  await waitFor("sleep is found again", async () => (await ask()).code === 0);
  await removePod("sleep-1");
  await waitFor("nobody has the address", async () => (await ask()).code !== 0);

  await runPod("httpbin-2", "httpbin", ADDRESS);
  await runPod("sleep-2", "sleep", "10.0.0.9");
  await waitFor("the pods are known", async () => {
    const { code } = await client.check({
      namespace: "",
      labels: "",
      path: "/other",
      contextExtensions: { "gatehouse-workload": "auto" },
    });
    return code === 0;
  });
  expect(await ask()).toEqual(DENIED);
  await server.client.patch(`${PODS}/httpbin-2`, { metadata: { labels: { app: "renamed" } } });
  await waitFor("a changed label selects other policies", async () => (await ask()).code === 0);
  await removePod("httpbin-2");
  await waitFor("nobody has the address", async () => (await ask()).code !== 0);

  await runPod("on-host", "sleep", ADDRESS, { hostNetwork: true });
  const relayed = await workloads();
  await runPod("later", "sleep", "10.0.0.3");
  await waitFor("the later pod is known", async () => (await workloads()) > relayed);
  expect(await ask()).toEqual(DENIED);
  expect(await publishes()).toBe(before);
}, 60_000);
