import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_MESH_CONFIG, READER_VERSION, resourceName } from "@gatehouse/protos";
import {
  decodeUnenforceableResources,
  encodeResource,
  POLICY_RESOURCE_TYPE_URL,
  resourceVersion,
  UNENFORCEABLE_RESOURCES_TYPE_URL,
} from "@gatehouse/protos/wire";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PolicyState } from "../state.ts";
import { PolicyApplier } from "./apply.ts";
import { runDiscoveryClient } from "./client.ts";
import { envelope, FakeController, policy, Queue, type Stream, send } from "./testdata/fake-controller.ts";

let controller: FakeController;
let state: PolicyState;
let applier: PolicyApplier;
let ending: AbortController;
let running: Promise<void>;
let nacks: number;
let failures: Queue<string>;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xds-"));
  controller = new FakeController();
  state = new PolicyState();
  ending = new AbortController();
  running = Promise.resolve();
  nacks = 0;
  failures = new Queue();
  applier = new PolicyApplier({
    state,
    metrics: { streamConnected() {}, nack() {}, policyApplied() {}, lastGood() {} },
    log: pino({ level: "silent" }),
    nowMs: Date.now,
    onApplied() {},
  });
});

afterEach(async () => {
  ending.abort();
  await running;
  controller.kill();
  await rm(directory, { recursive: true, force: true });
});

function connect(address: string): void {
  running = runDiscoveryClient(
    {
      address,
      nodeId: "node-1",
      applier,
      metrics: {
        streamConnected() {},
        nack() {
          nacks += 1;
        },
      },
      // The client warns of each attempt that failed, and of nothing else.
      log: pino({ level: "warn" }, { write: (line: string) => failures.push(line) }),
      backOff: { baseMs: 10, capMs: 50 },
      random: () => 0.5,
      onConnected() {},
    },
    ending.signal,
  );
}

/** Brings the server to enforce MeshConfig and policy `a` as set-1. */
async function establish(): Promise<Stream> {
  connect(await controller.listen("127.0.0.1:0"));
  const stream = await controller.streams.next();
  await controller.requests.next();
  send(stream, "1", [DEFAULT_MESH_CONFIG, policy("a")]);
  await controller.requests.next();
  return stream;
}

describe("runDiscoveryClient", () => {
  test("subscribes to everything, applies the first response, and acknowledges it", async () => {
    connect(await controller.listen("127.0.0.1:0"));
    const stream = await controller.streams.next();
    expect(await controller.requests.next()).toMatchObject({
      node: { id: "node-1" },
      typeUrl: POLICY_RESOURCE_TYPE_URL,
      resourceNamesSubscribe: ["*"],
      initialResourceVersions: [],
      responseNonce: "",
      errorDetail: null,
    });
    expect(state.current).toBeNull();
    send(stream, "1", [DEFAULT_MESH_CONFIG, policy("a")]);
    expect(await controller.requests.next()).toMatchObject({ responseNonce: "1", errorDetail: null });
    expect(applier.setVersion).toBe("set-1");
    expect(state.current).not.toBeNull();
  });

  test("refuses settings of the mesh that it would not enforce", async () => {
    connect(await controller.listen("127.0.0.1:0"));
    const stream = await controller.streams.next();
    await controller.requests.next();
    send(stream, "1", [{ ...DEFAULT_MESH_CONFIG, minReaderVersion: READER_VERSION + 1 }, policy("a")]);
    expect(await controller.requests.next()).toMatchObject({ responseNonce: "1", errorDetail: { code: 3 } });
    expect(state.current).toBeNull();
  });

  test("enforces nothing before MeshConfig has come", async () => {
    connect(await controller.listen("127.0.0.1:0"));
    const stream = await controller.streams.next();
    await controller.requests.next();
    send(stream, "1", [policy("a")]);
    expect(await controller.requests.next()).toMatchObject({ responseNonce: "1", errorDetail: null });
    expect(state.current).toBeNull();
    send(stream, "2", [DEFAULT_MESH_CONFIG]);
    await controller.requests.next();
    expect(state.current).not.toBeNull();
  });

  test("refuses a change as a whole when one resource needs a newer reader, and names it", async () => {
    const stream = await establish();
    const before = state.current;
    send(stream, "2", [policy("b"), policy("c", 99)], ["AuthorizationPolicy/foo/a"]);
    const answer = await controller.requests.next();
    expect(answer).toMatchObject({ responseNonce: "2", errorDetail: { code: 3 } });
    const detail = answer.errorDetail?.details[0];
    expect(detail?.type_url).toBe(UNENFORCEABLE_RESOURCES_TYPE_URL);
    expect(decodeUnenforceableResources(detail?.value ?? new Uint8Array(0))).toEqual([
      { name: "AuthorizationPolicy/foo/c", reason: expect.stringContaining("needs reader version 99") },
    ]);
    expect(state.current).toBe(before);
    expect(applier.setVersion).toBe("set-1");
    expect([...applier.versions().keys()]).toEqual(["MeshConfig//default", "AuthorizationPolicy/foo/a"]);
    expect(nacks).toBe(1);

    send(stream, "3", [policy("b")]);
    expect(await controller.requests.next()).toMatchObject({ responseNonce: "3", errorDetail: null });
    expect(applier.setVersion).toBe("set-3");
  });

  test.each([
    ["damaged bytes", { ...envelope(policy("b")), version: "0".repeat(32) }],
    ["bytes that are no resource", rawEnvelope("AuthorizationPolicy/foo/b", new Uint8Array([0xff, 0xff]))],
    ["no bytes", { name: "AuthorizationPolicy/foo/b", version: resourceVersion(new Uint8Array(0)) }],
    ["another name inside", { ...envelope(policy("b")), name: "AuthorizationPolicy/foo/x" }],
    [
      "a foreign type",
      { ...envelope(policy("b")), resource: { type_url: "type.googleapis.com/x", value: encodeResource(policy("b")) } },
    ],
  ])("refuses %s, with the old policy in force", async (_, resource) => {
    const stream = await establish();
    const before = state.current;
    stream.write({ systemVersionInfo: "x", typeUrl: POLICY_RESOURCE_TYPE_URL, nonce: "2", resources: [resource] });
    expect(await controller.requests.next()).toMatchObject({ responseNonce: "2", errorDetail: { code: 3 } });
    expect(state.current).toBe(before);
    expect(applier.setVersion).toBe("set-1");
  });

  test("refuses to lose MeshConfig", async () => {
    const stream = await establish();
    send(stream, "2", [], ["MeshConfig//default"]);
    expect((await controller.requests.next()).errorDetail?.message).toContain("must not be removed");
  });

  test("is patient when the controller starts later", async () => {
    const address = `unix:${join(directory, "xds.sock")}`;
    connect(address);
    for (let attempt = 0; attempt < 3; attempt += 1) await failures.next();
    await controller.listen(address);
    await controller.streams.next();
    expect((await controller.requests.next()).resourceNamesSubscribe).toEqual(["*"]);
  });

  test("keeps enforcing when the stream is lost, comes back, and says what it holds", async () => {
    const stream = await establish();
    const held = state.current;
    stream.end();
    await controller.streams.next();
    const request = await controller.requests.next();
    expect(state.current).toBe(held);
    expect(request.initialResourceVersions).toEqual(
      [DEFAULT_MESH_CONFIG, policy("a")].map((resource) => ({
        key: resourceName(resource),
        value: envelope(resource).version,
      })),
    );
  });

  test("comes back to a controller that was killed and started again", async () => {
    const address = `unix:${join(directory, "xds.sock")}`;
    await controller.listen(address);
    connect(address);
    await controller.streams.next();
    controller.kill();
    await controller.listen(address);
    const again = await controller.streams.next();
    send(again, "1", [DEFAULT_MESH_CONFIG]);
    while ((await controller.requests.next()).responseNonce !== "1"); // first requests of both streams before it
    expect(applier.setVersion).toBe("set-1");
  });

  test("ends at once when told to, connected or not", async () => {
    await establish();
    ending.abort();
    await running;
    ending = new AbortController();
    connect("127.0.0.1:1");
    await failures.next();
    ending.abort();
    await running;
  });
});

function rawEnvelope(name: string, bytes: Uint8Array) {
  return { name, version: resourceVersion(bytes), resource: { type_url: POLICY_RESOURCE_TYPE_URL, value: bytes } };
}
