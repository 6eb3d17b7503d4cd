import { readFileSync } from "node:fs";
import { type RunningController, startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import { lastUntil, outageSeconds, outageTimeoutMs } from "../support/outage.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

let server: ApiServer;
let proxy: TcpProxy;
let registry: Registry;
/** What is logged of watches that end early. */
let brokenWatches: { readonly kind: string; readonly reason: string }[] = [];
let controller: RunningController | null = null;

beforeAll(async () => {
  server = await startApiServer();
  proxy = await startTcpProxy(server.port);
});
afterAll(async () => {
  await proxy?.stop();
  await server?.stop();
});
beforeEach(() => proxy.pass());
afterEach(async () => {
  await controller?.stop();
  controller = null;
  await server.apply(readFileSync(POLICY_CRD, "utf8"));
  for (const path of [POLICIES, GATEWAYS]) await waitFor("all is gone", () => removeAll(path));
});

const POLICIES = "/apis/security.istio.io/v1/namespaces/default/authorizationpolicies";
const GATEWAYS = "/apis/networking.istio.io/v1/namespaces/default/gateways";
const POLICY_CRD = new URL("../../../crds/authorizationpolicies.security.istio.io.yaml", import.meta.url);
const KINDS = ["RequestAuthentication", "AuthorizationPolicy", "VirtualService", "Gateway"];

/** @returns whether it could be done; not while a CRD is being made anew */
async function removeAll(path: string): Promise<boolean> {
  return await server.client.delete(path).then(
    () => true,
    () => false,
  );
}

/** Through the proxy. @param token of a service account; left out: of a user who may do everything */
async function start(token?: string): Promise<RunningController> {
  const access = { port: proxy.port, ...(token === undefined ? {} : { token }) };
  const kubeconfig = await server.writeKubeconfig(access);
  registry = new Registry();
  brokenWatches = [];
  controller = await startController({
    source: { kind: "kubernetes" },
    kubernetes: { kubeconfig, namespace: "default", podName: "test" },
    xdsAddress: "127.0.0.1:0",
    log: pino({ level: "info" }, { write: noteBrokenWatch }),
    registry,
  });
  return controller;
}

function noteBrokenWatch(line: string): void {
  const { msg, kind, reason } = JSON.parse(line);
  if (msg === "watch ended early, going on") brokenWatches.push({ kind, reason });
}

async function startPublished(token?: string): Promise<RunningController> {
  const started = await start(token);
  await waitFor("policy is published", () => started.setVersion() !== null);
  return started;
}

function policy(name: string, path: string, namespace = "default") {
  return {
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name, namespace },
    spec: { rules: [{ to: [{ operation: { paths: [path] } }] }] },
  };
}

async function put(name: string, path: string): Promise<void> {
  await server.client.create(POLICIES, policy(name, path));
}

const names = () => [...(controller?.policies().reports.keys() ?? [])].sort();
const has = (name: string) => names().includes(`AuthorizationPolicy/default/${name}` as never);
const relists = () => Promise.all(KINDS.map((kind) => metric("relists_total", kind)));
/** How often the API server said, for each kind, that a watch begins too long ago. */
const expired = () =>
  KINDS.map((kind) => brokenWatches.filter((watch) => watch.kind === kind && watch.reason.includes("Expired")).length);
const source = () => controller?.readiness().find((check) => check.name === "source")?.message ?? "";

/** @param kind left out: of all kinds together */
async function metric(name: string, kind?: string): Promise<number> {
  const values = (await registry.getSingleMetric(`gatehouse_controller_${name}`)?.get())?.values ?? [];
  const wanted = values.filter(({ labels }) => kind === undefined || labels["kind"] === kind);
  return wanted.reduce((sum, { value }) => sum + value, 0);
}

const OUTAGE_SECONDS = outageSeconds(40, 1800);

test(
  "R05: the API server is down for a while: nothing is lost, and a change arrives within 30 s of its return",
  async () => {
    await put("before", "/a");
    const { setVersion } = await startPublished();
    const version = setVersion();
    const relists = await metric("relists_total");
    const startedMs = performance.now();
    await server.end("kube-apiserver", "kill");
    await waitFor("the loss is told", () => source().includes("stay in force"), 60_000);
    await lastUntil(startedMs, OUTAGE_SECONDS, () => expect(setVersion()).toBe(version));
    expect(source()).toContain("AuthorizationPolicy: the 1 objects read before stay in force");
    await server.start("kube-apiserver");
    await put("after", "/b");
    const returnedMs = performance.now();
    await waitFor("the change arrives", () => has("after"), 30_000);
    await waitFor("nothing is wrong any more", () => !source().includes("stay in force"), 30_000);
    console.log(`R05: ${Math.round(performance.now() - returnedMs)} ms after its return`);
    expect(has("before")).toBe(true);
    expect((await metric("relists_total")) - relists).toBeLessThanOrEqual(KINDS.length);
  },
  outageTimeoutMs(OUTAGE_SECONDS),
);

const RESTARTS_SECONDS = outageSeconds(40, 300);

test(
  "R06: the API server restarts every 10 s: it lists a kind only when the API server has no history to go on from",
  async () => {
    await put("before", "/a");
    await startPublished();
    const before = await relists();
    let restarts = 0;
    for (const endMs = performance.now() + RESTARTS_SECONDS * 1000; performance.now() < endMs; restarts += 1) {
      const startedMs = performance.now();
      await server.end("kube-apiserver", "stop");
      await server.start("kube-apiserver");
      await put(`restart-${restarts}`, "/x");
      await waitFor(`restart-${restarts} arrives`, () => has(`restart-${restarts}`), 30_000);
      await lastUntil(startedMs, 10, () => expect(has("before")).toBe(true));
    }
    // An API server that has just started remembers nothing of before, and tells so all watches that lie behind.
    const again = async () => (await relists()).map((lists, kind) => lists - (before[kind] ?? 0));
    await waitFor("every kind is listed", async () =>
      (await again()).every((lists, at) => lists >= (expired()[at] ?? 0)),
    );
    console.log(`R06: lists of ${KINDS.join(", ")} after ${restarts} restarts: ${(await again()).join(", ")}`);
    expect(await again()).toEqual(expired());
    expect(Math.max(...expired())).toBeLessThanOrEqual(restarts);
    expect(names()).toHaveLength(1 + restarts);
  },
  outageTimeoutMs(RESTARTS_SECONDS),
);

test("R06: its connections are lost again and again: watches go on where they were, and nothing is listed", async () => {
  await startPublished();
  const before = await relists();
  for (const name of ["first", "second", "third"]) {
    await waitFor("it watches all kinds", () => proxy.open >= KINDS.length);
    const restarts = await metric("watch_restarts_total");
    proxy.cut();
    await waitFor("all are lost", async () => (await metric("watch_restarts_total")) >= restarts + KINDS.length);
    await put(name, "/x");
    await waitFor(`${name} arrives`, () => has(name));
  }
  await server.client.delete(`${POLICIES}/first`);
  await waitFor("the first goes", () => !has("first"));
  expect(await relists()).toEqual(before);
}, 60_000);

test("R07: history is compacted during an outage, and the watch ends by 410: what was deleted meanwhile goes", async () => {
  for (const name of ["stays", "also-stays", "goes"]) await put(name, "/x");
  await startPublished();
  expect(has("goes")).toBe(true);
  proxy.refuse();
  await server.client.delete(`${POLICIES}/goes`);
  await put("new", "/new");
  await server.compact();
  await server.end("kube-apiserver", "kill");
  await server.start("kube-apiserver");
  proxy.pass();
  await waitFor("the new object arrives", () => has("new"), 30_000);
  await waitFor("the old one goes", () => !has("goes"), 30_000);
  expect(names()).toHaveLength(3);
  const reason = "GET /apis/security.istio.io/v1/authorizationpolicies: the watch ended: Expired";
  expect(brokenWatches).toContainEqual({ kind: "AuthorizationPolicy", reason });
}, 120_000);

test("R08: a connection that is dead without a word is found within 60 s", async () => {
  await startPublished();
  proxy.blackHole();
  const startedMs = performance.now();
  await waitFor("the watches are given up", async () => (await metric("watch_restarts_total")) >= KINDS.length, 60_000);
  console.log(`R08: found after ${Math.round((performance.now() - startedMs) / 1000)} s`);
  proxy.pass();
  await put("later", "/x");
  await waitFor("a change arrives", () => has("later"), 30_000);
}, 120_000);

test("R10, M04: without permission for one kind its last good objects stay, and it comes back with the permission", async () => {
  await server.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: reader }
rules:
- { apiGroups: [networking.istio.io], resources: [virtualservices, gateways], verbs: [get, list, watch] }
- { apiGroups: [security.istio.io], resources: [requestauthentications], verbs: [get, list, watch] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: policy-reader }
rules:
- { apiGroups: [security.istio.io], resources: [authorizationpolicies], verbs: [get, list, watch] }
---
${binding("reader")}
---
${binding("policy-reader")}`);
  const token = await server.serviceAccountToken("default", "reader");
  await put("kept", "/x");
  await startPublished(token);
  expect(await Promise.all(KINDS.map((kind) => metric("sync_state", kind)))).toEqual([1, 1, 1, 1]);
  await server.kubectl(["delete", "clusterrolebinding", "policy-reader"]);
  proxy.cut();
  await waitFor("the loss is told", () => source().includes("forbidden"), 60_000);
  expect(source()).toContain("AuthorizationPolicy: the 1 objects read before stay in force");
  expect(await Promise.all(KINDS.map((kind) => metric("sync_state", kind)))).toEqual([1, 0, 1, 1]);
  expect(has("kept")).toBe(true);
  await server.client.create(GATEWAYS, {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "others-go-on" },
    spec: {
      selector: { istio: "x" },
      servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
    },
  });
  await waitFor("other kinds are followed", () => names().includes("Gateway/default/others-go-on"));
  await server.apply(binding("policy-reader"));
  await put("later", "/y");
  await waitFor("the kind is followed again", () => has("later"), 60_000);
  await waitFor("nothing is wrong any more", () => !source().includes("forbidden"), 60_000);
  expect(await Promise.all(KINDS.map((kind) => metric("sync_state", kind)))).toEqual([1, 1, 1, 1]);
}, 180_000);

test("a controller without permission does not become ready, says why, and does when it gets it", async () => {
  const token = await server.serviceAccountToken("default", "nobody");
  const started = await start(token);
  const reason = /AuthorizationPolicy: nothing could be read yet: .*403: Forbidden/;
  await waitFor("the reason is told", () => reason.test(source()));
  expect(started.setVersion()).toBeNull();
  await server.apply(
    `{ apiVersion: rbac.authorization.k8s.io/v1, kind: ClusterRoleBinding, metadata: { name: nobody }, roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin }, subjects: [{ kind: ServiceAccount, name: nobody, namespace: default }] }`,
  );
  await waitFor("policy is published", () => started.setVersion() !== null, 60_000);
}, 120_000);

test("M05: an object of 1 MB is refused, and others go on", async () => {
  await startPublished();
  const paths = Array.from({ length: 45_000 }, (_, i) => `/a-long-path/number-${i}`);
  const large = { ...policy("large", "/"), spec: { rules: [{ to: [{ operation: { paths } }] }] } };
  await server.client.create(POLICIES, large);
  await put("small", "/x");
  await waitFor("both arrive", () => has("large") && has("small"), 30_000);
  expect(controller?.policies()).toMatchObject({ objects: 2, invalid: 1 });
  expect(source()).toContain("split the object");
}, 60_000);

test("M07: deleted objects go; when their CRD is deleted they stay in force", async () => {
  await put("one", "/x");
  await put("two", "/x");
  await put("three", "/x");
  const started = await startPublished();
  await server.client.delete(`${POLICIES}/one`);
  await waitFor("the object goes", () => !has("one"));
  const version = started.setVersion();
  await server.kubectl(["delete", "crd", "authorizationpolicies.security.istio.io"]);
  await waitFor("the loss is told", () => source().includes("CustomResourceDefinition"), 60_000);
  expect(started.setVersion()).toBe(version);
  expect(names()).toHaveLength(2);
  await server.apply(readFileSync(POLICY_CRD, "utf8"));
  await server.kubectl(["wait", "--for=condition=Established", "crd/authorizationpolicies.security.istio.io"]);
  await waitFor("the CRD made anew is followed", () => names().length === 0, 60_000);
  expect(source()).toContain("2 of 2 objects vanished at once");
}, 180_000);

test("M08: names of 253 characters", async () => {
  await startPublished();
  const name = `${"a".repeat(250)}.bc`;
  await put(name, "/x");
  await waitFor("it arrives", () => has(name));
  expect(controller?.policies()).toMatchObject({ objects: 1, invalid: 0 });
});

test("a write of status alone changes nothing", async () => {
  await put("one", "/x");
  const started = await startPublished();
  const published = await metric("publish_total");
  await server.client.patch(`${POLICIES}/one/status`, { status: { observedGeneration: 1 } });
  await put("two", "/x");
  await waitFor("a later change arrives", () => has("two"));
  expect((await metric("publish_total")) - published).toBe(1);
  expect(started.policies().objects).toBe(2);
});

function binding(name: string): string {
  return `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: ${name} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: ${name} }
subjects: [{ kind: ServiceAccount, name: reader, namespace: default }]`;
}
