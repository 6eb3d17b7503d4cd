import { setTimeout as delay } from "node:timers/promises";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { type RunningController, startController } from "@gatehouse/controller";
import {
  type DeltaDiscoveryResponse__Output,
  encodeUnenforceableResources,
  loadDiscovery,
  POLICY_RESOURCE_TYPE_URL,
} from "@gatehouse/protos/wire";
import { credentials } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type CheckClient, connectCheckClient } from "../../support/check-client.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type ApiServer, startApiServer } from "../support/api-server.ts";
import type { ObjectCondition } from "../support/kubernetes-client.ts";
import { outageSeconds, outageTimeoutMs } from "../support/outage.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

const POLICIES = "/apis/security.istio.io/v1/namespaces/foo/authorizationpolicies";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/gatehouse-system/leases";
const EVENTS = "/apis/events.k8s.io/v1/namespaces/foo/events";

/** All that the controller may do, as the chart grants it: what follows would fail if it needed more. */
const RBAC = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: { name: gatehouse-controller }
rules:
  - apiGroups: [security.istio.io]
    resources: [requestauthentications, authorizationpolicies]
    verbs: [get, list, watch]
  - apiGroups: [networking.istio.io]
    resources: [virtualservices, gateways]
    verbs: [get, list, watch]
  - apiGroups: [security.istio.io]
    resources: [requestauthentications/status, authorizationpolicies/status]
    verbs: [patch]
  - apiGroups: [networking.istio.io]
    resources: [virtualservices/status, gateways/status]
    verbs: [patch]
  - apiGroups: [events.k8s.io]
    resources: [events]
    verbs: [create, patch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: { name: gatehouse-controller }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: gatehouse-controller }
subjects: [{ kind: ServiceAccount, name: gatehouse-controller, namespace: gatehouse-system }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: gatehouse-controller, namespace: gatehouse-system }
rules:
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    verbs: [create]
  - apiGroups: [coordination.k8s.io]
    resources: [leases]
    resourceNames: [gatehouse-controller, gatehouse-controller-fleet]
    verbs: [get, update]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: gatehouse-controller, namespace: gatehouse-system }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: gatehouse-controller }
subjects: [{ kind: ServiceAccount, name: gatehouse-controller, namespace: gatehouse-system }]
`;

interface Replica {
  readonly controller: RunningController;
  readonly registry: Registry;
  /** Between it and the API server. */
  readonly proxy: TcpProxy;
}

interface Server {
  readonly server: RunningAuthzServer;
  readonly client: CheckClient;
}

let api: ApiServer;
let token: string;
let replicas: Replica[];
let servers: Server[];
const guests: (() => void)[] = [];

beforeAll(async () => {
  api = await startApiServer();
  for (const name of ["foo", "gatehouse-system"]) await api.client.create("/api/v1/namespaces", { metadata: { name } });
  await api.apply(RBAC);
  token = await api.serviceAccountToken("gatehouse-system", "gatehouse-controller");
  replicas = [await startReplica("pod-0"), await startReplica("pod-1")];
  servers = [];
  for (const [index, { controller }] of [...replicas, ...replicas.slice(1)].entries()) {
    servers.push(await startServer(`authz-${index}`, controller.xdsAddress));
  }
  await waitFor("one leads", async () => (await leaders()).length === 1);
}, 120_000);

afterEach(async () => {
  for (const leave of guests.splice(0)) leave();
  await api.client.delete(POLICIES);
});

afterAll(async () => {
  for (const { server, client } of servers ?? []) {
    client.stop();
    await server.stop();
  }
  for (const { controller, proxy } of replicas ?? []) {
    await controller.stop();
    await proxy.stop();
  }
  await api?.stop();
}, 60_000);

async function startReplica(podName: string): Promise<Replica> {
  const registry = new Registry();
  const proxy = await startTcpProxy(api.port);
  const kubeconfig = await api.writeKubeconfig({ token, port: proxy.port });
  const controller = await startController({
    source: { kind: "kubernetes", status: { leaseName: "gatehouse-controller" } },
    kubernetes: { kubeconfig, namespace: "gatehouse-system", podName },
    xdsAddress: "127.0.0.1:0",
    log: pino({ level: "silent" }),
    registry,
  });
  return { controller, registry, proxy };
}

async function startServer(nodeId: string, controller: string): Promise<Server> {
  const identity = { namespace: "foo", labels: [{ name: "app", value: "httpbin" }], gateways: [] };
  const server = await startAuthzServer({
    controller,
    nodeId,
    listeners: [{ address: "127.0.0.1:0", identity }],
    drain: { waitMs: 0, deadlineMs: 500 },
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
  return { server, client: connectCheckClient(Number(server.checkAddresses[0]?.split(":").at(-1))) };
}

async function leaders(): Promise<readonly Replica[]> {
  const values = await Promise.all(replicas.map((replica) => metric(replica, "leader")));
  return replicas.filter((_, index) => values[index] === 1);
}

async function metric({ registry }: Replica, name: string): Promise<number> {
  const values = (await registry.getSingleMetric(`gatehouse_controller_${name}`)?.get())?.values ?? [];
  return values.reduce((sum, { value }) => sum + value, 0);
}

function deny(path: string, extra = ""): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: x, namespace: foo${extra} }
spec: { action: DENY, rules: [{ to: [{ operation: { paths: ["${path}"] } }] }] }`;
}

async function conditionOf(type: string, name = "x"): Promise<ObjectCondition | undefined> {
  const { status } = await api.client.get(`${POLICIES}/${name}`);
  return status?.conditions?.find((condition) => condition.type === type);
}

const wait = (seconds = 15) =>
  api.kubectl(["wait", "-n", "foo", "--for=condition=Programmed", "authorizationpolicy/x", `--timeout=${seconds}s`]);

const statusOf = async ({ client }: Server, path: string) => (await client.check({ path })).status;

test("kubectl wait returns when every server, of whichever replica, enforces what was applied last", async () => {
  for (let edit = 0; edit < 12; edit++) {
    await api.apply(deny(`/secret-${edit}`));
    await wait();
    const answers = await Promise.all(servers.map((server) => statusOf(server, `/secret-${edit}`)));
    expect(answers).toEqual([403, 403, 403]);
  }
  const { metadata } = await api.client.get(`${POLICIES}/x`);
  expect(await conditionOf("Programmed")).toMatchObject({
    status: "True",
    reason: "Programmed",
    message: "3/3 servers enforce generation 12",
    observedGeneration: metadata.generation,
  });
  expect(await conditionOf("Accepted")).toMatchObject({ status: "True", reason: "Accepted" });
  const columns = await api.kubectl(["get", "authorizationpolicies", "-n", "foo"]);
  expect(columns).toMatch(/ACCEPTED +PROGRAMMED/);
  expect(columns).toMatch(/x +DENY +True +True/);
}, 120_000);

test("an edit that changes nothing of the policy is programmed too, and one of labels stays so", async () => {
  await api.apply(deny("/a"));
  await wait();
  const before = await conditionOf("Programmed");
  await api.apply(deny("/a", ", labels: { team: a }"));
  await waitFor("all have seen it", async () => (await metric(replicas[0] as Replica, "status_pending_objects")) === 0);
  await wait(2);
  expect((await conditionOf("Programmed"))?.lastTransitionTime).toBe(before?.lastTransitionTime);
});

test("a server that does not answer keeps it pending, and kubectl waits", async () => {
  await api.apply(deny("/a"));
  await wait();
  const guest = join(replicas[1]?.controller.xdsAddress ?? "", "silent");
  await guest.response(); // and no answer
  await api.apply(deny("/b"));
  await waitFor("it is pending", async () => (await conditionOf("Programmed"))?.reason === "Pending");
  expect(await conditionOf("Programmed")).toMatchObject({
    status: "False",
    message: "3/4 servers enforce generation 2",
    observedGeneration: 2,
  });
  await expect(wait(1)).rejects.toThrow(/timed out/);
  guest.leave();
  await wait();
});

test("the words of a server that refuses stand in the condition and in an event", async () => {
  const guest = join(replicas[1]?.controller.xdsAddress ?? "", "picky");
  guest.ack(await guest.response());
  await api.apply(deny("/a"));
  guest.nack(await guest.response(), "AuthorizationPolicy/foo/x", "rules[0]: unknown condition");
  guest.ack(await guest.response());
  await waitFor("it is told", async () => (await conditionOf("Programmed"))?.reason === "Refused");
  const told = await conditionOf("Programmed");
  expect(told?.status).toBe("False");
  expect(told?.message).toMatch(
    /^[0-3]\/4 servers enforce generation 1; picky refused it: rules\[0\]: unknown condition$/,
  );
  const events = await waitFor("there is an event", async () => {
    const found = (await api.client.get(EVENTS)).items?.filter((event) => Reflect.get(event, "reason") === "Refused");
    return found !== undefined && found.length > 0 ? found : false;
  });
  expect(events).toHaveLength(1);
  expect(events[0]).toMatchObject({
    type: "Warning",
    action: "Distribute",
    reportingController: "gatehouse.dev/controller",
  });
});

test("what is not accepted says where and why, and is never programmed", async () => {
  await api.apply(deny("/a", `, annotations: { "istio.io/dry-run": "maybe" }`));
  await waitFor("it is told", async () => (await conditionOf("Accepted"))?.status === "False");
  expect(await conditionOf("Accepted")).toMatchObject({ reason: "Invalid" });
  expect((await conditionOf("Accepted"))?.message).toContain("metadata.annotations[istio.io/dry-run]");
  expect(await conditionOf("Programmed")).toMatchObject({ status: "False", reason: "Invalid" });
});

test("the controller owns nothing but the status, and does not write it again and again", async () => {
  await api.apply(deny("/a"));
  await wait();
  const managed = JSON.parse(
    await api.kubectl(["get", "-n", "foo", "authorizationpolicy/x", "-o", "json", "--show-managed-fields"]),
  ).metadata.managedFields;
  const ours = managed.filter(({ manager }: { manager: string }) => manager === "gatehouse");
  expect(ours).toMatchObject([{ operation: "Apply", subresource: "status" }]);
  expect(Object.keys(ours[0].fieldsV1)).toEqual(["f:status"]);
  const [leader] = await leaders();
  if (leader === undefined) throw new Error("nobody leads");
  const writes = await metric(leader, "status_writes_total");
  const { metadata } = await api.client.get(`${POLICIES}/x`);
  const reports = await metric(leader, "fleet_reports_total");
  await waitFor(
    "some heartbeats have passed",
    async () => (await metric(leader, "fleet_reports_total")) > reports + 3,
    60_000,
  );
  expect(await metric(leader, "status_writes_total")).toBe(writes);
  expect((await api.client.get(`${POLICIES}/x`)).metadata.resourceVersion).toBe(metadata.resourceVersion);
}, 90_000);

test("R24: with the Lease deleted or given to somebody else, at most one replica leads, and one does again", async () => {
  const never = watchForTwoLeaders();
  await api.client.delete(`${LEASES}/gatehouse-controller`);
  await waitFor("it is there again", () =>
    api.client.get(`${LEASES}/gatehouse-controller`).then(
      () => true,
      () => false,
    ),
  );
  expect(await leaders()).toHaveLength(1);
  await api.client.patch(`${LEASES}/gatehouse-controller`, { spec: { holderIdentity: "a-stranger" } });
  await waitFor("the leader has stepped down", async () => (await leaders()).length === 0);
  await api.client.delete(`${LEASES}/gatehouse-controller-fleet`);
  await api.apply(deny("/c"));
  await waitFor("one leads", async () => (await leaders()).length === 1, 40_000);
  await wait();
  expect(await never()).toBe(1);
}, 90_000);

const SLOW_SECONDS = outageSeconds(5, 12);

test(
  "R24: a leader whose API server is slow steps down at its deadline, and writes no status until it leads again",
  async () => {
    const [slow] = await leaders();
    const other = replicas.find((replica) => replica !== slow);
    if (slow === undefined || other === undefined) throw new Error("nobody leads");
    const never = watchForTwoLeaders();
    slow.proxy.pass(SLOW_SECONDS * 1000);
    await waitFor("the leader has stepped down", async () => (await metric(slow, "leader")) === 0, 15_000);
    const writes = await metric(slow, "status_writes_total");
    await api.apply(deny("/slow"));
    // What was on its way may still arrive, and renew the Lease once.
    await waitFor("the other leads", async () => (await metric(other, "leader")) === 1, 60_000);
    await api.apply(deny("/slow"));
    await waitFor("it tells what it knows", async () => (await conditionOf("Accepted"))?.observedGeneration === 1);
    expect(await metric(slow, "status_writes_total")).toBe(writes);
    slow.proxy.cut();
    slow.proxy.pass();
    await wait(60);
    expect(await never()).toBe(1);
    expect(await leaders()).toEqual([other]);
  },
  outageTimeoutMs(SLOW_SECONDS),
);

/** Looks all the time. @returns ends it; resolves to the most that led at one time */
function watchForTwoLeaders(): () => Promise<number> {
  let most = 0;
  let isEnded = false;
  const watching = (async () => {
    while (!isEnded) {
      most = Math.max(most, (await leaders()).length);
      await delay(5);
    }
  })();
  return async () => {
    isEnded = true;
    await watching;
    return most;
  };
}

interface Guest {
  response(): Promise<DeltaDiscoveryResponse__Output>;
  ack(response: DeltaDiscoveryResponse__Output): void;
  nack(response: DeltaDiscoveryResponse__Output, name: string, reason: string): void;
  leave(): void;
}

/** A server that answers as the test says. */
function join(address: string, id: string): Guest {
  const client = new (loadDiscovery())(address, credentials.createInsecure());
  const call = client.DeltaAggregatedResources();
  const responses = call[Symbol.asyncIterator]();
  call.on("error", () => undefined); // it is cancelled
  const typeUrl = POLICY_RESOURCE_TYPE_URL;
  call.write({ node: { id }, typeUrl, resourceNamesSubscribe: ["*"] });
  const leave = () => {
    call.cancel();
    client.close();
  };
  guests.push(leave);
  return {
    leave,
    async response() {
      const next = await responses.next();
      if (next.done === true) throw new Error("the stream has ended");
      return next.value;
    },
    ack: ({ nonce }) => void call.write({ typeUrl, responseNonce: nonce }),
    nack({ nonce }, name, reason) {
      const value = encodeUnenforceableResources([{ name, reason }]);
      const details = [{ type_url: "type.googleapis.com/gatehouse.policy.v1.UnenforceableResources", value }];
      call.write({ typeUrl, responseNonce: nonce, errorDetail: { code: 3, message: "cannot enforce", details } });
    },
  };
}
