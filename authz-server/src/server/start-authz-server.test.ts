import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DEFAULT_MESH_CONFIG } from "@gatehouse/protos";
import { loadExtAuthz, loadHealth } from "@gatehouse/protos/wire";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import fc from "fast-check";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeController, policy, send } from "../discovery/testdata/fake-controller.ts";
import { type AuthzServerOptions, type RunningAuthzServer, startAuthzServer } from "../main.ts";

const CHECK = "/envoy.service.auth.v3.Authorization/Check";

let directory: string;
let controller: FakeController;
const cleanUps: (() => void | Promise<void>)[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "authz-"));
  controller = new FakeController();
});

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  controller.kill();
  await rm(directory, { recursive: true, force: true });
});

async function start(
  address: string,
  dataDirectory: string | null = null,
  more: Partial<AuthzServerOptions> = {},
): Promise<RunningAuthzServer> {
  const server = await startAuthzServer({
    controller: address,
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    dataDirectory,
    drain: { waitMs: 0, deadlineMs: 1000 },
    backOff: { baseMs: 10, capMs: 20 },
    ...more,
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
  cleanUps.push(() => server.stop());
  return server;
}

/** A server that enforces MeshConfig and one policy, as set-1. */
async function startWithPolicy(dataDirectory: string | null = null): Promise<RunningAuthzServer> {
  const server = await start(await controller.listen("127.0.0.1:0"), dataDirectory);
  const stream = await controller.streams.next();
  await controller.requests.next();
  send(stream, "1", [DEFAULT_MESH_CONFIG, policy("a")]);
  await controller.requests.next();
  return server;
}

function isReady(server: RunningAuthzServer): boolean {
  return server.readiness().every((check) => check.ok);
}

type Outcome = { readonly code: number; readonly answer: Buffer };

function callerOf(server: RunningAuthzServer): (message: Uint8Array) => Promise<Outcome> {
  const client = new Client(server.checkAddresses[0] ?? "", credentials.createInsecure());
  cleanUps.push(() => client.close());
  const identity = (bytes: Uint8Array) => Buffer.from(bytes);
  return (message) =>
    new Promise((resolve) => {
      client.makeUnaryRequest(CHECK, identity, identity, message, new Metadata(), (error: ServiceError | null, value) =>
        resolve({ code: error?.code ?? status.OK, answer: value ?? Buffer.alloc(0) }),
      );
    });
}

/** Whether Envoy would let the request pass. */
function allows({ code, answer }: Outcome): boolean {
  if (code !== status.OK) return false;
  const response = loadExtAuthz().service.Check.responseDeserialize(answer);
  return (response.status?.code ?? 0) === 0;
}

describe("startAuthzServer", () => {
  test("is not ready and answers UNAVAILABLE before any policy", async () => {
    const server = await start("127.0.0.1:1");
    expect(isReady(server)).toBe(false);
    expect(server.setVersion()).toBeNull();
    expect((await callerOf(server)(new Uint8Array(0))).code).toBe(status.UNAVAILABLE);
    const health = new (loadHealth())(server.checkAddresses[0] ?? "", credentials.createInsecure());
    cleanUps.push(() => health.close());
    const state = await new Promise((resolve) => {
      health.Check({ service: "" }, (_, response) => resolve(response?.status));
    });
    expect(state).toBe("NOT_SERVING");
  });

  test("becomes ready with the first policy", async () => {
    const server = await startWithPolicy();
    expect(server.readiness()).toContainEqual({ name: "policy", ok: true, message: "enforcing version set-1" });
    expect(isReady(server)).toBe(true);
    expect(server.setVersion()).toBe("set-1");
    const metrics = await server.metrics();
    expect(metrics).toContain('gatehouse_authz_policy_set_info{version="set-1"} 1\n');
    expect(metrics).toContain("gatehouse_authz_policy_set_resources 2\n");
    expect(metrics).toContain("gatehouse_authz_stream_connected 1\n");
    controller.kill();
    await until(async () => (await server.metrics()).includes("gatehouse_authz_stream_connected 0\n"));
  });

  test("is not ready while draining", async () => {
    const server = await startWithPolicy();
    const stopped = server.stop();
    expect(isReady(server)).toBe(false);
    await stopped;
  });

  test("neither allows nor dies of any bytes in place of a CheckRequest", async () => {
    const call = callerOf(await startWithPolicy());
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (bytes) => {
        const outcome = await call(bytes);
        expect(allows(outcome)).toBe(false);
      }),
      { numRuns: 300 },
    );
    expect((await call(nestedStruct(10_000))).code).not.toBe(status.UNAVAILABLE);
    expect(allows(await call(nestedStruct(10_000)))).toBe(false);
  });
});

describe("last-good policy", () => {
  test("is enforced by a server that starts while the controller is down, and offered when it is back", async () => {
    const data = join(directory, "data");
    await (await startWithPolicy(data)).stop();
    controller.kill();

    const address = `unix:${join(directory, "xds.sock")}`;
    const server = await start(address, data);
    expect(isReady(server)).toBe(true);
    expect(server.setVersion()).toBe("set-1");

    controller = new FakeController();
    await controller.listen(address);
    await controller.streams.next();
    const request = await controller.requests.next();
    expect(request.initialResourceVersions.map((entry) => entry.key)).toEqual([
      "MeshConfig//default",
      "AuthorizationPolicy/foo/a",
    ]);
  });

  test("is not believed once the file was tampered with: not ready, nothing offered", async () => {
    const data = join(directory, "data");
    await (await startWithPolicy(data)).stop();
    controller.kill();
    const path = join(data, "last-good");
    const bytes = await readFile(path);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    await writeFile(path, bytes);

    controller = new FakeController();
    const server = await start(await controller.listen("127.0.0.1:0"), data);
    expect(isReady(server)).toBe(false);
    expect(await server.metrics()).toContain('gatehouse_authz_last_good_total{result="ignored"} 1\n');
    expect((await callerOf(server)(new Uint8Array(0))).code).toBe(status.UNAVAILABLE);
    expect((await controller.requests.next()).initialResourceVersions).toEqual([]);
  });

  test("is kept only where a directory is given", async () => {
    await (await startWithPolicy(null)).stop();
    const server = await start("127.0.0.1:1");
    expect(isReady(server)).toBe(false);
  });
});

describe("policy with a limit of age", () => {
  test("denies while the controller is away for too long, and serves again with its first word", async () => {
    const address = `unix:${join(directory, "xds.sock")}`;
    await controller.listen(address);
    const server = await start(address, null, { maxPolicyAgeMs: 300 });
    const call = callerOf(server);
    const first = await controller.streams.next();
    await controller.requests.next();
    send(first, "1", [DEFAULT_MESH_CONFIG, policy("a")]);
    await until(() => isReady(server));
    expect((await call(new Uint8Array(0))).code).toBe(status.INVALID_ARGUMENT);

    controller.kill();
    await until(() => !isReady(server));
    expect(server.readiness()).toContainEqual(expect.objectContaining({ name: "policy", ok: false }));
    expect((await call(new Uint8Array(0))).code).toBe(status.UNAVAILABLE);
    expect(server.setVersion()).toBeNull();

    controller = new FakeController();
    await controller.listen(address);
    const second = await controller.streams.next();
    await controller.requests.next();
    expect((await call(new Uint8Array(0))).code).toBe(status.UNAVAILABLE);
    send(second, "1", []);
    await until(() => isReady(server));
    expect((await call(new Uint8Array(0))).code).toBe(status.INVALID_ARGUMENT);
  });

  test("counts the time before the start, from when the controller was lost", async () => {
    const data = join(directory, "data");
    const changedAtMs = Date.now() - 3_600_000;
    const limited = (nowMs: number) => ({ maxPolicyAgeMs: 60_000, nowMs: () => nowMs });
    let nowMs = changedAtMs;
    const server = await start(await controller.listen("127.0.0.1:0"), data, {
      maxPolicyAgeMs: 60_000,
      nowMs: () => nowMs,
    });
    const stream = await controller.streams.next();
    await controller.requests.next();
    send(stream, "1", [DEFAULT_MESH_CONFIG, policy("a")]);
    await until(() => isReady(server));
    nowMs += 1_800_000; // half an hour later it is still what the controller wants
    await server.stop();

    const soon = await start("127.0.0.1:1", data, limited(nowMs + 59_000));
    expect(isReady(soon)).toBe(true);
    const late = await start("127.0.0.1:1", data, limited(nowMs + 61_000));
    expect(isReady(late)).toBe(false);
    expect((await callerOf(late)(new Uint8Array(0))).code).toBe(status.UNAVAILABLE);
  });
});

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  await vi.waitFor(async () => expect(await condition()).toBe(true), { timeout: 10_000, interval: 10 });
}

/** A CheckRequest whose metadata_context nests structs that deep (CVE-2026-44289). */
function nestedStruct(depth: number): Uint8Array {
  let value: Uint8Array = new Uint8Array(0);
  for (let level = 0; level < depth; level += 1) {
    // Value.struct_value (5) { Struct.fields (1) { key "" ; value (2) } }
    value = field(2, field(5, field(1, value)));
    if (value.length > 900_000) break;
  }
  const entry = Buffer.concat([field(1, Buffer.from("x")), field(2, field(1, value))]);
  return field(1, field(11, field(1, entry)));
}

function field(number: number, content: Uint8Array): Uint8Array {
  const head = [(number << 3) | 2];
  let length = content.length;
  while (length > 0x7f) {
    head.push((length & 0x7f) | 0x80);
    length >>>= 7;
  }
  return Buffer.concat([Buffer.from([...head, length]), content]);
}
