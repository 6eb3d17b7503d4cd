import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { waitFor } from "../../../test/support/wait-for.ts";
import type { FleetMember } from "../discovery/fleet.ts";
import { SYSTEM_CLOCK } from "../jwks/clock.ts";
import type { KeySourceHealth } from "../jwks/refresher.ts";
import { type Fields, type ObjectServer, startObjectServer, toFields } from "../leader/testdata/object-server.ts";
import { createStatusMetrics } from "../telemetry/status-metrics.ts";
import type { Report } from "../translate/index.ts";
import { StatusService } from "./status-service.ts";

const NAMESPACE = "/apis/security.istio.io/v1/namespaces/foo/authorizationpolicies";
const FLEET_LEASE = "/apis/coordination.k8s.io/v1/namespaces/gatehouse-system/leases/gatehouse-controller-fleet";

/** One controller replica, as far as status sees it: its objects and its servers are told by the test. */
interface Replica {
  readonly service: StatusService;
  readonly registry: Registry;
  readonly members: FleetMember[];
  /** All that this replica has seen is translated and published, and its servers have taken it. */
  settle(position: string, kind?: "AuthorizationPolicy" | "RequestAuthentication"): void;
}

let server: ObjectServer;
let replicas: Replica[];
let logged: string[];

beforeEach(async () => {
  server = await startObjectServer();
  replicas = [];
  logged = [];
});
afterEach(async () => {
  server.misbehave = () => null;
  await Promise.all(replicas.map(({ service }) => service.stop()));
  await server.stop();
});

async function replica(
  podName: string,
  nodes: readonly string[],
  keys: readonly KeySourceHealth[] = [],
): Promise<Replica> {
  const registry = new Registry();
  const members = nodes.map((nodeId) => member(nodeId, 0));
  let revision = 0;
  const service = new StatusService({
    api: await server.connect(),
    kubernetes: { namespace: "gatehouse-system", podName },
    leaseName: "gatehouse-controller",
    hasChanges: () => false,
    members: () => members,
    snapshot: () => ({ ownersOf: () => [] }),
    keys: () => ({ healthOf: () => keys, ownersOf: () => ["RequestAuthentication/foo/ra"] }),
    metrics: createStatusMetrics(registry),
    log: pino({}, { write: (line: string) => void logged.push(line) }),
    clock: SYSTEM_CLOCK,
    random: Math.random,
    leaseTimes: { leaseMs: 3_000, renewMs: 2_000, retryMs: 100, requestMs: 900 },
  });
  const made: Replica = {
    service,
    registry,
    members,
    settle(position, kind = "AuthorizationPolicy") {
      service.position(kind, position);
      service.begins();
      revision += 1;
      service.ends({ reports: new Map(), changed: [], revision });
      for (const [index, { nodeId }] of members.entries()) members[index] = member(nodeId, revision);
      service.fleetChanged();
    },
  };
  replicas.push(made);
  service.start();
  return made;
}

function member(nodeId: string, revision: number): FleetMember {
  const progress = { isWildcard: true, revision, refused: new Map<string, string>() };
  return { nodeId, ackedVersion: "", lastNack: null, progress };
}

/** Stores an object as kubectl would, and returns what a watch would tell. */
function put(name: string, generation = 1, status: Fields = {}): Parameters<StatusService["seen"]>[0] {
  const path = `${NAMESPACE}/${name}`;
  server.edit(path, { metadata: { name, namespace: "foo", uid: `uid-${name}`, generation }, status });
  const { resourceVersion } = toFields(server.objects.get(path)?.["metadata"]);
  return {
    key: `AuthorizationPolicy/foo/${name}`,
    apiVersion: "security.istio.io/v1",
    uid: `uid-${name}`,
    generation,
    resourceVersion: String(resourceVersion),
    errors: [],
    status,
  };
}

function accepted(name: string, isAccepted = true): ReadonlyMap<`AuthorizationPolicy/foo/${string}`, Report> {
  const ref = { kind: "AuthorizationPolicy", namespace: "foo", name } as const;
  const reason = isAccepted ? "Accepted" : "Invalid";
  const diagnostics = isAccepted ? [] : [{ path: "spec", reason: "Invalid" as const, message: `bad ${Math.random()}` }];
  return new Map([[`AuthorizationPolicy/foo/${name}` as const, { ref, accepted: isAccepted, reason, diagnostics }]]);
}

function show({ service }: Replica, object: ReturnType<typeof put>, isAccepted = true): void {
  const name = object.key.split("/")[2] ?? "";
  service.seen(object);
  service.begins();
  service.ends({ reports: accepted(name, isAccepted), changed: [object.key], revision: 1 });
}

function conditionOf(name: string, type: string): Fields {
  const conditions = toFields(server.objects.get(`${NAMESPACE}/${name}`)?.["status"])["conditions"];
  return (
    (Array.isArray(conditions) ? conditions : []).map(toFields).find((condition) => condition["type"] === type) ?? {}
  );
}

const patches = () => server.requests.filter(({ method, path }) => method === "PATCH" && path.endsWith("/status"));
const leads = ({ service }: Replica) =>
  waitFor("it leads", () => service.readiness().message.startsWith("leader: yes"));

it("writes status by server-side apply as gatehouse, of the version that it was made from", async () => {
  const only = await replica("pod-0", ["a"]);
  await leads(only);
  const object = put("x");
  show(only, object);
  only.settle(object.resourceVersion);
  await waitFor("it is programmed", () => conditionOf("x", "Programmed")["status"] === "True");
  expect(conditionOf("x", "Programmed")).toMatchObject({
    message: "1/1 servers enforce generation 1",
    observedGeneration: 1,
  });
  expect(patches()).toHaveLength(1);
  const [patch] = patches();
  expect(patch?.contentType).toBe("application/apply-patch+yaml");
  expect(Object.fromEntries(patch?.query ?? [])).toEqual({ fieldManager: "gatehouse", force: "true" });
  expect(patch?.body).toMatchObject({
    apiVersion: "security.istio.io/v1",
    kind: "AuthorizationPolicy",
    metadata: { name: "x", namespace: "foo", uid: "uid-x", resourceVersion: object.resourceVersion },
  });
  expect(Object.keys(patch?.body ?? {}).toSorted()).toEqual(["apiVersion", "kind", "metadata", "status"]);
});

it("waits for the servers of the other replicas, which tell of them in the second Lease", async () => {
  const leader = await replica("pod-0", ["a"]);
  await leads(leader);
  const follower = await replica("pod-1", ["b", "c"]);
  await waitFor("it has reported", () => JSON.stringify(server.objects.get(FLEET_LEASE) ?? "").includes("pod-1"));
  const object = put("x");
  for (const each of [leader, follower]) show(each, object);
  leader.settle(object.resourceVersion);
  await waitFor("it is pending", () => conditionOf("x", "Programmed")["reason"] === "Pending");
  expect(conditionOf("x", "Programmed")["message"]).toBe("1/3 servers enforce generation 1");
  expect(await sampleOf(leader, "unprogrammed_objects")).toBe(1);
  follower.settle(object.resourceVersion);
  await waitFor("it is programmed", () => conditionOf("x", "Programmed")["status"] === "True");
  expect(conditionOf("x", "Programmed")["message"]).toBe("3/3 servers enforce generation 1");
  expect(await sampleOf(leader, "unprogrammed_objects")).toBe(0);
});

it("counts the servers of a replica no more that has stopped", async () => {
  const leader = await replica("pod-0", ["a"]);
  await leads(leader);
  const follower = await replica("pod-1", ["b"]);
  await waitFor("it has reported", () => JSON.stringify(server.objects.get(FLEET_LEASE) ?? "").includes("pod-1"));
  await follower.service.stop();
  const object = put("x");
  show(leader, object);
  leader.settle(object.resourceVersion);
  await waitFor(
    "it is programmed",
    () => conditionOf("x", "Programmed")["message"] === "1/1 servers enforce generation 1",
  );
});

it("writes nothing while it does not lead, and hands over when it stops", async () => {
  const leader = await replica("pod-0", ["a"]);
  await leads(leader);
  const follower = await replica("pod-1", ["b"]);
  const object = put("x");
  show(follower, object);
  follower.settle(object.resourceVersion);
  await leader.service.stop();
  await leads(follower);
  expect(await sampleOf(leader, "leader_changes_total")).toBe(2);
  expect(await sampleOf(follower, "leader_changes_total")).toBe(1);
  expect(patches()).toHaveLength(0);
  await waitFor("it is programmed", () => conditionOf("x", "Programmed")["status"] === "True");
});

describe("a write that the API server refuses", () => {
  it("is made anew from what the object has become, after a conflict", async () => {
    const only = await replica("pod-0", ["a"]);
    await leads(only);
    const object = put("x");
    const edited = put("x", 2); // the watch is late
    show(only, object);
    only.settle(object.resourceVersion);
    await waitFor("it was tried", () => patches().length > 0);
    expect(conditionOf("x", "Programmed")).toEqual({});
    show(only, edited);
    only.settle(edited.resourceVersion);
    await waitFor("it is written", () => conditionOf("x", "Programmed")["observedGeneration"] === 2);
  });

  it("stops nobody else's when it is forbidden, and is told in log, metric and readiness", async () => {
    const only = await replica("pod-0", ["a"]);
    await leads(only);
    server.misbehave = ({ path }) => (path.includes("/secret/") ? { kind: "status", status: 403 } : null);
    const [forbidden, object] = [put("secret"), put("x")];
    show(only, forbidden);
    show(only, object);
    only.settle(object.resourceVersion);
    await waitFor("the other is written", () => conditionOf("x", "Programmed")["status"] === "True");
    await waitFor("it is named", () => only.service.readiness().message.includes("AuthorizationPolicy/foo/secret"));
    expect(only.service.readiness().ok).toBe(true);
    expect(await only.registry.getSingleMetricAsString("gatehouse_controller_status_writes_total")).toContain(
      '{result="forbidden"} 1',
    );
    expect(logged.filter((line) => line.includes("status can't be written"))).toHaveLength(1);
  });

  it("ends quietly when the object is gone", async () => {
    const only = await replica("pod-0", ["a"]);
    await leads(only);
    const object = put("x");
    server.objects.delete(`${NAMESPACE}/x`);
    show(only, object);
    only.settle(object.resourceVersion);
    await waitFor("it was tried", () => patches().length > 0);
    only.service.gone(object.key);
    expect(logged.filter((line) => line.includes("status can't be written"))).toEqual([]);
  });
});

it("makes one event and a count of what flaps, and none of what is well from the beginning (M06)", async () => {
  const only = await replica("pod-0", ["a"]);
  await leads(only);
  const good = put("good");
  show(only, good);
  only.settle(good.resourceVersion);
  for (let round = 1; round <= 40; round++) {
    const object = put("x", round, toFields(server.objects.get(`${NAMESPACE}/x`)?.["status"]));
    show(only, object, round % 2 === 0);
    only.settle(object.resourceVersion);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const created = server.requests.filter(({ method, path }) => method === "POST" && path.endsWith("/events"));
  await waitFor("the good one is written", () => conditionOf("good", "Programmed")["status"] === "True");
  expect(created.length).toBeGreaterThan(0);
  expect(created.length).toBeLessThanOrEqual(5);
  expect(patches().filter(({ path }) => path.includes("/x/")).length).toBeLessThanOrEqual(12);
  expect(created[0]?.body).toMatchObject({
    apiVersion: "events.k8s.io/v1",
    type: "Warning",
    reason: "Invalid",
    action: "Translate",
    reportingController: "gatehouse.dev/controller",
    reportingInstance: "pod-0",
    regarding: { kind: "AuthorizationPolicy", namespace: "foo", name: "x", uid: "uid-x" },
  });
});

it("tells of fetched keys in a condition, and of their coming by an event, without what may be secret in their URI", async () => {
  const path = "/apis/security.istio.io/v1/namespaces/foo/requestauthentications/ra";
  const [key, apiVersion] = ["RequestAuthentication/foo/ra", "security.istio.io/v1"] as const;
  const missing: KeySourceHealth = {
    keySet: "remote-a",
    issuer: "https://idp.example",
    uri: "https://somebody:secret@idp.example/keys?code=secret#secret",
    state: "unavailable",
    keys: 0,
    skipped: [],
    lastSuccessMs: null,
    ageMs: null,
    nextRefreshMs: 0,
    lastFailure: { class: "connect", detail: "secret" },
  };
  const health = [missing];
  const only = await replica("pod-0", ["a"], health);
  await leads(only);
  server.edit(path, { metadata: { name: "ra", namespace: "foo", uid: "u", generation: 1 }, status: {} });
  const resourceVersion = String(toFields(server.objects.get(path)?.["metadata"])["resourceVersion"]);
  only.service.seen({ key, apiVersion, uid: "u", generation: 1, resourceVersion, errors: [], status: {} });
  only.service.begins();
  const ref = { kind: "RequestAuthentication", namespace: "foo", name: "ra" } as const;
  const report = { ref, accepted: true, reason: "Accepted", diagnostics: [] } as const;
  only.service.ends({ reports: new Map([[key, report]]), changed: [key], revision: 1 });
  only.settle(resourceVersion, "RequestAuthentication");
  const keysReady = (): Fields => {
    const conditions = toFields(server.objects.get(path)?.["status"])["conditions"];
    return (Array.isArray(conditions) ? conditions : []).map(toFields).find(({ type }) => type === "KeysReady") ?? {};
  };
  await waitFor("it says that there are none", () => keysReady()["status"] === "False");
  expect(keysReady()).toMatchObject({
    reason: "KeysUnavailable",
    message: "issuer https://idp.example, https://idp.example/keys: 0 keys, never fetched, last error connect",
  });

  health[0] = { ...missing, state: "ready", keys: 2, lastSuccessMs: Date.UTC(2030, 0, 1), lastFailure: null };
  only.service.keysChanged("remote-a");
  await waitFor("it says that there are some", () => keysReady()["status"] === "True");
  expect(keysReady()["reason"]).toBe("KeysFetched");
  const events = () => server.requests.filter(({ method, path: to }) => method === "POST" && to.endsWith("/events"));
  await waitFor("both are told", () => events().length === 2);
  expect(events().map(({ body }) => body)).toMatchObject([
    { type: "Warning", reason: "KeysUnavailable", action: "FetchKeys", regarding: { name: "ra" } },
    { type: "Normal", reason: "KeysFetched", action: "FetchKeys", regarding: { name: "ra" } },
  ]);
  expect(JSON.stringify(server.requests)).not.toContain("secret");
  expect(await sampleOf(only, "events_total", '{result="created"}')).toBe(2);
});

function sampleOf({ registry }: Replica, name: string, labels = ""): Promise<number> {
  const metric = `gatehouse_controller_${name}`;
  return registry.getSingleMetricAsString(metric).then((text) => {
    const line = text.split("\n").find((candidate) => candidate.startsWith(`${metric}${labels} `));
    return Number(line?.split(" ").at(-1) ?? Number.NaN);
  });
}
