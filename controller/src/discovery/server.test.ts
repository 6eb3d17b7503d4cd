import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeWorkload, resourceVersion, WORKLOAD_TYPE_URL } from "@gatehouse/protos/wire";
import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createMetrics } from "../telemetry/metrics.ts";
import { encode } from "./encode-resource.ts";
import { Fleet } from "./fleet.ts";
import { type DiscoveryServer, startDiscoveryServer } from "./server.ts";
import type { PublishedSet } from "./session.ts";
import { Snapshot } from "./snapshot.ts";
import { type DeltaClient, openDeltaStream } from "./testdata/delta-client.ts";
import { authorizationPolicy } from "./testdata/resources.ts";
import { WorkloadSet } from "./workload-set.ts";

let directory: string;
let snapshot: Snapshot;
let isPublished: boolean;
let fleet: Fleet;
let registry: Registry;
let server: DiscoveryServer;
let hints: string[];
let logged: string[];
const clients: DeltaClient[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-xds-"));
  await chmod(directory, 0o700);
  snapshot = new Snapshot();
  isPublished = true;
  fleet = new Fleet();
  registry = new Registry();
  hints = [];
  logged = [];
  server = await start(`unix:${directory}/xds.sock`, registry);
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.stop();
  await rm(directory, { recursive: true });
});

function start(
  address: string,
  metrics = new Registry(),
  workloads?: () => PublishedSet | null,
): Promise<DiscoveryServer> {
  return startDiscoveryServer(address, {
    published: () => (isPublished ? snapshot : null),
    ...(workloads === undefined ? {} : { workloads }),
    fleet,
    metrics: createMetrics(metrics),
    log: pino({ level: "debug" }, { write: (line: string) => void logged.push(line) }),
    onKeySetHint: (names) => hints.push(...names),
  });
}

function publish(policies: Record<string, "ALLOW" | "DENY" | "gone">): void {
  snapshot.apply(
    new Map(
      Object.entries(policies).map(([name, action]) => [
        name,
        action === "gone" ? [] : [encode({ ...authorizationPolicy(`foo/${name}`), action })],
      ]),
    ),
  );
  server.publish();
}

function connect(id: string): DeltaClient {
  const client = openDeltaStream(server.address, id);
  clients.push(client);
  return client;
}

const POLICY_A = "AuthorizationPolicy/foo/a";
const POLICY_B = "AuthorizationPolicy/foo/b";

it("brings several clients to the same set, and pushes only what changes", async () => {
  publish({ a: "ALLOW", b: "ALLOW" });
  const [first, second] = [connect("first"), connect("second")];
  for (const client of [first, second]) {
    client.subscribe(["*"]);
    expect((await client.response()).names).toEqual([POLICY_A, POLICY_B]);
    client.ack();
  }
  await second.hasAcked(fleet);
  publish({ b: "DENY" });
  for (const client of [first, second]) {
    expect((await client.response()).names).toEqual([POLICY_B]);
    client.ack();
    expect(client.versions.get(POLICY_B)).toBe(snapshot.resources.get(POLICY_B)?.version);
  }
  await first.hasAcked(fleet);
  await second.hasAcked(fleet);
  expect(fleet.members()).toMatchObject([
    { nodeId: "first", ackedVersion: snapshot.version, lastNack: null },
    { nodeId: "second", ackedVersion: snapshot.version, lastNack: null },
  ]);
});

it("serves workloads on a stream of their own, which is no member of the fleet", async () => {
  const workloads = new WorkloadSet(() => undefined);
  const withWorkloads = await start("127.0.0.1:0", new Registry(), () => workloads.published());
  const client = openDeltaStream(withWorkloads.address, "first");
  clients.push(client);
  client.send({ node: { id: "first" }, typeUrl: WORKLOAD_TYPE_URL, resourceNamesSubscribe: ["*"] });
  const bytes = encodeWorkload({
    kind: "Workload",
    namespace: "foo",
    name: "a",
    addresses: ["10.0.0.1"],
    labels: [],
    serviceAccount: "",
  });
  workloads.apply(new Map([["foo/a", [{ name: "Workload/foo/a", version: resourceVersion(bytes), bytes }]]]));
  workloads.markWhole();
  withWorkloads.publish();
  expect(await client.responseNames()).toEqual(["Workload/foo/a"]);
  expect(fleet.members()).toEqual([]);
  await withWorkloads.stop();
});

it("refuses a stream of workloads where nobody looks at Pods", async () => {
  const client = connect("first");
  client.send({ node: { id: "first" }, typeUrl: WORKLOAD_TYPE_URL, resourceNamesSubscribe: ["*"] });
  expect(await client.ended).toMatchObject({ code: status.INVALID_ARGUMENT });
});

it("pushes nothing for equal content", async () => {
  publish({ a: "ALLOW" });
  const client = connect("first");
  client.subscribe(["*"]);
  await client.response();
  client.ack();
  await client.hasAcked(fleet);
  publish({ a: "ALLOW" });
  publish({ a: "ALLOW" });
  publish({ b: "ALLOW" });
  const next = await client.response();
  expect(next).toMatchObject({ names: [POLICY_B], nonce: "2" });
});

it("waits with the first response until a set is published, empty or not", async () => {
  isPublished = false;
  const client = connect("first");
  client.subscribe(["*"]);
  await client.isConnected(fleet);
  expect(client.received).toBe(0);
  isPublished = true;
  server.publish();
  expect(await client.response()).toMatchObject({ names: [], version: "0000000000000000" });
});

it("resumes: sends a reconnecting client what it lacks, and what vanished", async () => {
  publish({ a: "ALLOW", b: "ALLOW" });
  const versions = { [POLICY_A]: snapshot.resources.get(POLICY_A)?.version ?? "", "AuthorizationPolicy/foo/z": "1" };
  const client = connect("first");
  client.subscribe(["*"], versions);
  expect(await client.response()).toMatchObject({ names: [POLICY_B], removed: ["AuthorizationPolicy/foo/z"] });
});

it("after a NACK that names a resource, resends the change with it marked, and logs which and why", async () => {
  publish({ a: "ALLOW", b: "ALLOW" });
  const client = connect("first");
  client.subscribe(["*"]);
  await client.response();
  client.nack([{ name: POLICY_B, reason: "unknown condition" }]);
  const again = await client.response();
  expect(again.names).toEqual([POLICY_A, POLICY_B]);
  expect(again.unenforceable).toEqual({ [POLICY_A]: "", [POLICY_B]: "unknown condition" });
  client.ack();
  await client.hasAcked(fleet);
  expect(fleet.members()).toMatchObject([
    { progress: { revision: snapshot.revision, refused: new Map([[POLICY_B, "unknown condition"]]) } },
  ]);
  const warning = logged.map((line) => JSON.parse(line)).find(({ level }) => level === 40);
  expect(warning).toMatchObject({
    node: "first",
    resources: [{ name: POLICY_B, reason: "unknown condition" }],
    marked: [POLICY_B],
  });
  expect(await registry.getSingleMetricAsString("gatehouse_controller_nacks_total")).toContain("nacks_total 1");
});

it("keeps one response in flight to a client that does not answer, through 1,000 changes", async () => {
  publish({ a: "ALLOW" });
  const slow = connect("slow");
  slow.subscribe(["*"]);
  await slow.response();
  for (let i = 0; i < 1000; i++) publish({ a: i % 2 === 0 ? "DENY" : "ALLOW", [`n${i}`]: "ALLOW" });
  expect(slow.received).toBe(1);
  slow.ack();
  expect((await slow.response()).names).toHaveLength(1000);
  slow.ack();
  await slow.hasAcked(fleet);
  expect(slow.received).toBe(2);
});

it("passes on the names of key sets that a client asks for", async () => {
  publish({ a: "ALLOW" });
  const client = connect("first");
  client.subscribe(["*", "KeySet//remote-1"]);
  expect(await client.response()).toMatchObject({ names: [POLICY_A], removed: ["KeySet//remote-1"] });
  expect(hints).toEqual(["KeySet//remote-1"]);
});

it("forgets a client that goes", async () => {
  publish({});
  const client = connect("first");
  client.subscribe(["*"]);
  await client.response();
  expect(fleet.members()).toHaveLength(1);
  client.close();
  await expect.poll(() => fleet.members()).toEqual([]);
});

describe("what it refuses", () => {
  it("another type of resource, with a status that names the one it has", async () => {
    const client = connect("envoy");
    client.send({ typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster" });
    const error = await client.ended;
    expect(error.code).toBe(status.INVALID_ARGUMENT);
    expect(error.details).toContain("type.googleapis.com/gatehouse.policy.v1.PolicyResource");
  });

  it("an endless list of names", async () => {
    const client = connect("greedy");
    client.subscribe(Array.from({ length: 10_001 }, (_, i) => `KeySet//${i}`));
    expect((await client.ended).code).toBe(status.RESOURCE_EXHAUSTED);
  });

  it("a NACK with a detail that can't be read, without harm to other streams", async () => {
    publish({ a: "ALLOW" });
    const [bad, good] = [connect("bad"), connect("good")];
    for (const client of [bad, good]) client.subscribe(["*"]);
    await Promise.all([bad.response(), good.response()]);
    bad.nackWith(Buffer.from([0xff, 0xff, 0xff]));
    expect((await bad.ended).code).toBe(status.INTERNAL);
    good.ack();
    await good.hasAcked(fleet);
    publish({ b: "ALLOW" });
    expect((await good.response()).names).toEqual([POLICY_B]);
  });

  it("an address that others could reach", async () => {
    await expect(start("0.0.0.0:0")).rejects.toMatchObject({ code: "BAD_OPTION" });
  });
});

describe("listening", () => {
  it("resolves port 0, and says when a port is in use", async () => {
    const other = await start("127.0.0.1:0");
    expect(other.address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
    await expect(start(other.address)).rejects.toMatchObject({
      code: "ADDRESS_IN_USE",
      message: `xDS address ${other.address} is in use: stop the process that has it, or choose another address`,
    });
    await other.stop();
  });

  it("keeps its socket to its own user, and takes over one that nobody serves", async () => {
    const path = join(directory, "stale.sock");
    const dead = createServer().listen(path);
    await new Promise((resolve) => dead.once("listening", resolve));
    await expect(start(`unix:${path}`)).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    await new Promise((resolve) => dead.close(resolve));
    const other = await start(`unix:${path}`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    await other.stop();
  });

  it("never deletes a file that is no socket", async () => {
    const path = join(directory, "precious.txt");
    await writeFile(path, "keep me");
    await expect(start(`unix:${path}`)).rejects.toMatchObject({ code: "ADDRESS_IN_USE" });
    expect((await stat(path)).size).toBe(7);
  });

  it("ends streams with UNAVAILABLE when it stops", async () => {
    publish({ a: "ALLOW" });
    const client = connect("first");
    client.subscribe(["*"]);
    await client.response();
    await server.stop();
    expect((await client.ended).code).toBe(status.UNAVAILABLE);
  });
});
