import { once } from "node:events";
import { link, mkdtemp, rename, rm, unlink } from "node:fs/promises";
import { type ClientHttp2Session, connect as connectHttp2 } from "node:http2";
import { connect as connectTcp, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { loadHealth } from "@gatehouse/protos/wire";
import { Client, credentials, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import type { Transport } from "./check-front.ts";
import { DEFAULT_CHECK_LIMITS } from "./check-limits.ts";
import { type CheckHandler, CheckUnavailable, InvalidCheckRequest } from "./check-service.ts";
import { type CheckServer, startCheckServer } from "./grpc-server.ts";
import { ListenError } from "./listen.ts";
import type { ListenerConfig } from "./listener-identity.ts";
import { ServingStatus } from "./serving-status.ts";

const CHECK = "/envoy.service.auth.v3.Authorization/Check";
const LOOPBACK: ListenerConfig = { address: "127.0.0.1:0", identity: null };
const echo: CheckHandler = (message) => message;

const cleanUps: (() => void | Promise<void>)[] = [];

interface Started {
  readonly server: CheckServer;
  readonly address: string;
  readonly serving: ServingStatus;
  readonly errors: string[];
}

interface StartOptions {
  readonly listeners?: readonly ListenerConfig[];
  readonly waitMs?: number;
  readonly deadlineMs?: number;
}

async function startWith(transport: Transport, handler: CheckHandler, options: StartOptions): Promise<Started> {
  const serving = new ServingStatus();
  const errors: string[] = [];
  const server = await startCheckServer({
    transport,
    listeners: options.listeners ?? [LOOPBACK],
    handler,
    status: serving,
    limits: DEFAULT_CHECK_LIMITS,
    drain: { waitMs: options.waitMs ?? 0, deadlineMs: options.deadlineMs ?? 5000 },
    metrics: { error: (kind) => void errors.push(kind), connectionCut: () => undefined },
    log: pino({ level: "silent" }),
  });
  cleanUps.push(() => server.stop());
  return { server, address: server.addresses[0] ?? "", serving, errors };
}

function open(address: string): Client {
  const client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
  cleanUps.push(() => client.close());
  return client;
}

type Outcome = { readonly code: number; readonly bytes: Uint8Array };

function call(client: Client, message: Uint8Array, path = CHECK, metadata = new Metadata()): Promise<Outcome> {
  const identity = (bytes: Uint8Array) => Buffer.from(bytes);
  return new Promise((resolve) => {
    client.makeUnaryRequest(path, identity, identity, message, metadata, (error: ServiceError | null, value) => {
      resolve({ code: error?.code ?? status.OK, bytes: value ?? new Uint8Array(0) });
    });
  });
}

const BYTES = new Uint8Array([1, 2, 3]);

/**
 * How Check, health and stopping behave, whatever carries them.
 * @param transport the one under test
 */
export function checkServerContract(transport: Transport): void {
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  });

  const start = (handler: CheckHandler, options: StartOptions = {}): Promise<Started> =>
    startWith(transport, handler, options);

  describe("Check", () => {
    test("hands the bytes to the handler and its bytes back, sync and async", async () => {
      for (const handler of [echo, (message: Uint8Array) => Promise.resolve(message)]) {
        const { address } = await start(handler);
        const outcome = await call(open(address), BYTES);
        expect({ code: outcome.code, bytes: [...outcome.bytes] }).toEqual({ code: status.OK, bytes: [1, 2, 3] });
      }
    });

    test.each([
      ["CheckUnavailable", () => new CheckUnavailable("no policy"), status.UNAVAILABLE, []],
      ["InvalidCheckRequest", () => new InvalidCheckRequest("bytes"), status.INVALID_ARGUMENT, ["invalid_request"]],
      ["anything else", () => new TypeError("a bug"), status.INTERNAL, ["handler"]],
    ])("answers %s, thrown or rejected, with a gRPC error", async (_, newError, code, counted) => {
      const { address, errors } = await start((message) => {
        if (message[0] === 1) throw newError();
        return Promise.reject(newError());
      });
      const client = open(address);
      expect((await call(client, BYTES)).code).toBe(code);
      expect(errors).toEqual(counted);
      expect((await call(client, new Uint8Array([2]))).code).toBe(code);
    });

    test("says which listener a call came in on, and passes metadata by lower-case key", async () => {
      const identity = { namespace: "foo", labels: [], gateways: [] };
      const seen: unknown[] = [];
      const { server } = await start(
        (message, metadata, listener) => {
          seen.push([metadata.get("gatehouse-namespace"), metadata.get("absent"), listener]);
          return message;
        },
        { listeners: [LOOPBACK, { address: "127.0.0.1:0", identity }] },
      );
      const metadata = new Metadata();
      metadata.set("Gatehouse-Namespace", "bar");
      for (const address of server.addresses) await call(open(address), BYTES, CHECK, metadata);
      expect(seen).toEqual([
        ["bar", undefined, null],
        ["bar", undefined, identity],
      ]);
    });

    test("passes metadata that is given twice as one value joined by a comma", async () => {
      const seen: unknown[] = [];
      const { address } = await start((message, metadata) => {
        seen.push(metadata.get("gatehouse-namespace"));
        return message;
      });
      const metadata = new Metadata();
      metadata.add("gatehouse-namespace", "foo");
      metadata.add("gatehouse-namespace", "bar");
      await call(open(address), BYTES, CHECK, metadata);
      expect(seen).toEqual(["foo, bar"]);
    });

    test("listens on a unix socket, also over one that a killed process left behind", async () => {
      const directory = await mkdtemp(join(tmpdir(), "check-"));
      cleanUps.push(() => rm(directory, { recursive: true }));
      const path = join(directory, "s.sock");
      const first = createServer().listen(path);
      await once(first, "listening");
      await expect(start(echo, { listeners: [{ address: `unix:${path}`, identity: null }] })).rejects.toThrow(
        "another process listens there",
      );
      // A listening socket is removed when closed in order; link it away, so that the file stays.
      await link(path, `${path}.kept`);
      first.close();
      await once(first, "close");
      await unlink(path).catch(() => undefined);
      await rename(`${path}.kept`, path);
      const { address } = await start(echo, { listeners: [{ address: `unix:${path}`, identity: null }] });
      expect((await call(open(address), BYTES)).code).toBe(status.OK);
    });

    test("says in one line that a port is in use, and leaves nothing bound", async () => {
      const { address } = await start(echo);
      const failing = start(echo, { listeners: [LOOPBACK, { address, identity: null }] });
      await expect(failing).rejects.toThrow(ListenError);
      await expect(failing).rejects.toThrow(/^cannot listen on 127\.0\.0\.1:\d+: the address is already in use[^\n]*$/);
    });
  });

  describe("calls", () => {
    const never =
      (onCancelled: () => void): CheckHandler =>
      (_message, _metadata, _listener, onCancel) => {
        onCancel?.(onCancelled);
        return new Promise(() => undefined);
      };

    test("of nearly the largest size go through, both ways", async () => {
      const { address } = await start(echo);
      const message = Buffer.alloc((1 << 20) - 10, "large ");
      const outcome = await call(open(address), message);
      expect([outcome.code, message.equals(outcome.bytes)]).toEqual([status.OK, true]);
    });

    test("go on side by side on one connection, whatever the order of their answers", async () => {
      const waiting: (() => void)[] = [];
      const { address } = await start((message) => new Promise((resolve) => void waiting.push(() => resolve(message))));
      const client = open(address);
      const calls = Array.from({ length: 200 }, (_, i) => call(client, Buffer.from(`call ${i}`)));
      while (waiting.length < calls.length) await new Promise(setImmediate);
      for (const answer of waiting.toReversed()) answer();
      const texts = (await Promise.all(calls)).map(({ bytes }) => Buffer.from(bytes).toString());
      expect(texts).toEqual(calls.map((_, i) => `call ${i}`));
    });

    test("that take longer than the caller waits end, and the handler hears of it", async () => {
      const { promise: cancelled, resolve } = Promise.withResolvers<void>();
      const { address } = await start(never(resolve));
      const deadline = Date.now() + 50;
      const identity = (bytes: Uint8Array) => Buffer.from(bytes);
      const code = new Promise((settle) => {
        open(address).makeUnaryRequest(CHECK, identity, identity, BYTES, new Metadata(), { deadline }, (error) =>
          settle(error?.code),
        );
      });
      await cancelled;
      expect(await code).toBe(status.DEADLINE_EXCEEDED);
    });

    test("that the server has to end by the caller's time limit say so", async () => {
      const { address } = await start(never(() => undefined));
      const session = await dial(address);
      const seen = await raw(session, { "grpc-timeout": "50m" }, frame(BYTES, false));
      expect(seen["grpc-status"]).toBe(String(status.DEADLINE_EXCEEDED));
    });

    test("that are cancelled, or whose connection breaks, are told to the handler", async () => {
      for (const end of ["cancel", "break"]) {
        const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
        const { promise: cancelled, resolve } = Promise.withResolvers<void>();
        const { address } = await start((...args) => {
          arrive();
          return never(resolve)(...args);
        });
        const session = await dial(address);
        const stream = session.request({ ":method": "POST", ":path": CHECK, "content-type": "application/grpc" });
        stream.on("error", () => undefined);
        stream.end(frame(BYTES, false));
        await arrived;
        if (end === "cancel") stream.close(8);
        else session.destroy();
        await cancelled;
      }
    });

    test("of a client with small windows are answered in full", async () => {
      const { address } = await start(echo);
      const session = connectHttp2(`http://${address}`, { settings: { initialWindowSize: 1000 } });
      cleanUps.push(() => session.destroy());
      const stream = session.request({ ":method": "POST", ":path": CHECK, "content-type": "application/grpc" });
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => void parts.push(part));
      const message = frame(Buffer.alloc(300_000, "abc"), false);
      stream.end(message);
      await once(stream, "end");
      expect(Buffer.concat(parts).equals(message)).toBe(true);
    });
  });

  describe("other methods", () => {
    test.each([
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      "/grpc.channelz.v1.Channelz/GetServers",
      "/envoy.service.auth.v3.Authorization/Other",
      "/",
    ])("%s is UNIMPLEMENTED", async (path) => {
      const { address } = await start(echo);
      expect((await call(open(address), BYTES, path)).code).toBe(status.UNIMPLEMENTED);
    });
  });

  describe("health", () => {
    test("is SERVING once ready and NOT_SERVING while draining", async () => {
      const { address, serving, server } = await start(echo, { waitMs: 300 });
      const client = new (loadHealth())(address, credentials.createInsecure());
      cleanUps.push(() => client.close());
      const check = (service: string) =>
        new Promise((resolve) => {
          client.Check({ service }, (error, response) => resolve(error?.code ?? response?.status));
        });
      expect(await check("")).toBe("NOT_SERVING");
      expect(await check("no.such.Service")).toBe(status.NOT_FOUND);
      serving.ready();
      expect(await check("")).toBe("SERVING");
      expect(await check("envoy.service.auth.v3.Authorization")).toBe("SERVING");
      const stopped = server.stop();
      expect(await check("")).toBe("NOT_SERVING");
      await stopped;
    });

    test("tells watchers each change, and a watch does not hold up the stop", async () => {
      const { address, serving, server } = await start(echo, { deadlineMs: 15_000 });
      const client = new (loadHealth())(address, credentials.createInsecure());
      cleanUps.push(() => client.close());
      const watch = client.Watch({ service: "" });
      const seen: unknown[] = [];
      const ended = once(watch, "end");
      for await (const response of watch) {
        seen.push(response.status);
        if (seen.length === 1) serving.ready();
        if (seen.length === 2) void server.stop();
      }
      await ended;
      await server.stop();
      expect(seen).toEqual(["NOT_SERVING", "SERVING", "NOT_SERVING"]);
    });
  });

  describe("stopping", () => {
    test("loses no call that was in flight or that came while health checkers were being told", async () => {
      const { address, server, serving } = await start(
        (message) => new Promise((resolve) => setTimeout(() => resolve(message), 20)),
        { waitMs: 200 },
      );
      serving.ready();
      const client = open(address);
      const calls: Promise<Outcome>[] = [];
      const feeding = setInterval(() => calls.push(call(client, BYTES), call(client, BYTES)), 1);
      while (calls.length < 20) await new Promise(setImmediate);
      const stopped = server.stop();
      // Envoy stops sending when it has seen NOT_SERVING; that is what the wait is for.
      setTimeout(() => clearInterval(feeding), 150);
      await stopped;
      const codes = new Set((await Promise.all(calls)).map((outcome) => outcome.code));
      expect(calls.length).toBeGreaterThan(20);
      expect([...codes]).toEqual([status.OK]);
    });

    test("cuts calls that never end at the deadline", async () => {
      const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>();
      const never: CheckHandler = () => {
        arrive();
        return new Promise(() => undefined);
      };
      const { address, server } = await start(never, { deadlineMs: 50 });
      const pending = call(open(address), BYTES);
      await arrived;
      await server.stop();
      expect((await pending).code).toBe(status.UNAVAILABLE);
    });
  });

  describe("hostile input", () => {
    async function expectAlive(address: string): Promise<void> {
      expect((await call(open(address), BYTES)).code).toBe(status.OK);
    }

    test("a message of 5 MB gets RESOURCE_EXHAUSTED", async () => {
      const { address } = await start(echo);
      expect((await call(open(address), new Uint8Array(5 << 20))).code).toBe(status.RESOURCE_EXHAUSTED);
      await expectAlive(address);
    });

    test("a message that would inflate to 256 MB is refused without inflating", async () => {
      const { address } = await start(echo);
      const session = await dial(address);
      const bomb = gzipSync(Buffer.alloc(256 << 20), { level: 9 });
      expect(bomb.length).toBeLessThan(1 << 20);
      const before = process.memoryUsage().rss;
      const seen = await raw(session, { "grpc-encoding": "gzip" }, frame(bomb, true));
      // Our own transport reads no compressed message at all; Envoy sends none.
      const code = transport === "lean" ? status.UNIMPLEMENTED : status.RESOURCE_EXHAUSTED;
      expect(seen["grpc-status"]).toBe(String(code));
      expect(process.memoryUsage().rss - before).toBeLessThan(100 << 20);
      await expectAlive(address);
    });

    test.each([
      ["gzip that is none", { "grpc-encoding": "gzip" }, frame(Buffer.from("not gzip"), true)],
      ["an unknown encoding", { "grpc-encoding": "zstd" }, frame(BYTES, true)],
      ["a compressed flag without encoding", {}, frame(BYTES, true)],
      ["half a frame", {}, frame(BYTES, false).subarray(0, 6)],
      ["two messages", {}, Buffer.concat([frame(BYTES, false), frame(BYTES, false)])],
      ["no message", {}, Buffer.alloc(0)],
      ["a length of 4 GB", {}, Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 1])],
      ["a content type that is not gRPC", { "content-type": "text/html" }, frame(BYTES, false)],
      ["a bad time-out", { "grpc-timeout": "99999999999999H" }, frame(BYTES, false)],
      ["binary metadata that is not base64", { "x-bin": "%%%" }, frame(BYTES, false)],
      ["GET", { ":method": "GET" }, Buffer.alloc(0)],
    ])("%s leaves the server alive", async (_, headers, body) => {
      const { address } = await start(echo);
      const session = await dial(address);
      await raw(session, headers, body);
      await expectAlive(address);
    });

    test("connections that speak no HTTP/2, or break off, leave the server alive", async () => {
      const { address } = await start(echo);
      const port = Number(address.split(":").at(-1));
      const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
      const starts = [
        "GET / HTTP/1.1\r\n\r\n",
        "\u0000".repeat(100),
        preface,
        `${preface}\u0000\u0000\u0000\u0004\u0000\u0000\u0000\u0000\u0000\u0000\u0000\u0020\u0001\u0025\u0000\u0000\u0000\u0001garbage`,
      ];
      for (const bytes of starts) {
        const socket = connectTcp(port, "127.0.0.1");
        socket.on("error", () => undefined);
        await once(socket, "connect");
        await new Promise((resolve) => socket.write(bytes, "latin1", resolve));
        socket.resetAndDestroy();
      }
      await expectAlive(address);
    });
  });
}

/** One raw HTTP/2 request; @returns what came back */
function raw(
  session: ClientHttp2Session,
  headers: Record<string, string>,
  body: Uint8Array,
): Promise<Record<string, unknown>> {
  return new Promise((resolve) => {
    const stream = session.request({
      ":method": "POST",
      ":path": CHECK,
      "content-type": "application/grpc",
      te: "trailers",
      ...headers,
    });
    const seen: Record<string, unknown> = {};
    stream.on("response", (response) => Object.assign(seen, response));
    stream.on("trailers", (trailers) => Object.assign(seen, trailers));
    stream.on("error", () => undefined);
    stream.on("close", () => resolve(seen));
    stream.resume();
    stream.end(body);
  });
}

function frame(payload: Uint8Array, isCompressed: boolean): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(isCompressed ? 1 : 0);
  head.writeUInt32BE(payload.length, 1);
  return Buffer.concat([head, payload]);
}

async function dial(address: string): Promise<ClientHttp2Session> {
  const session = connectHttp2(`http://${address}`);
  session.on("error", () => undefined);
  cleanUps.push(() => session.destroy());
  await once(session, "connect");
  return session;
}
