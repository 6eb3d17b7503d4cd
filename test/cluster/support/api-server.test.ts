import { afterAll, beforeAll, expect, test } from "vitest";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.ts";

let server: ApiServer;
let proxy: TcpProxy;

beforeAll(async () => {
  server = await startApiServer();
  proxy = await startTcpProxy(server.port);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});

const POLICIES = "/apis/security.istio.io/v1/namespaces/default/authorizationpolicies";
const POLICY = { apiVersion: "security.istio.io/v1", kind: "AuthorizationPolicy", metadata: { name: "one" }, spec: {} };

test("objects survive the death of the API server and of etcd", async () => {
  await server.client.create(POLICIES, POLICY);
  for (const component of ["kube-apiserver", "etcd"] as const) {
    await server.end(component, "kill");
    await server.start(component);
    expect((await server.client.get(POLICIES)).items).toHaveLength(1);
  }
});

test("a watch from before a compaction gets 410", async () => {
  const { metadata } = await server.client.get(POLICIES);
  await server.client.patch(`${POLICIES}/one`, { metadata: { labels: { changed: "yes" } } });
  await server.compact();
  // The API server's own cache still remembers the revision until it is restarted.
  await server.end("kube-apiserver", "kill");
  await server.start("kube-apiserver");
  const answer = await server.client.text(
    `${POLICIES}?watch=1&timeoutSeconds=5&resourceVersion=${metadata.resourceVersion}`,
  );
  expect(JSON.parse(answer.split("\n")[0] ?? "")).toMatchObject({ type: "ERROR", object: { code: 410 } });
});

test("a service account gets in, also through a proxy, and may do nothing", async () => {
  const token = await server.serviceAccountToken("default", "nobody");
  const kubeconfig = await server.writeKubeconfig({ token, port: proxy.port });
  const env = { KUBECONFIG: kubeconfig };
  expect(await server.kubectl(["auth", "whoami"], { env })).toContain("system:serviceaccount:default:nobody");
  await expect(server.kubectl(["get", "secrets"], { env })).rejects.toThrow("secrets is forbidden");
});

test("a black hole swallows requests, and refused connections are reset", async () => {
  const kubeconfig = await server.writeKubeconfig({ port: proxy.port });
  const ask = () =>
    server.kubectl(["get", "--raw", "/version", "--request-timeout=1s"], { env: { KUBECONFIG: kubeconfig } });
  expect(await ask()).toContain("v1.");
  proxy.blackHole();
  await expect(ask()).rejects.toThrow(/timeout|deadline/i);
  proxy.refuse();
  await expect(ask()).rejects.toThrow(/reset|EOF/);
  proxy.pass();
  expect(await ask()).toContain("v1.");
});
