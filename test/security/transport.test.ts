import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadHealth } from "@gatehouse/protos/wire";
import { Client, credentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect } from "vitest";
import { createCheckHarness } from "../support/check-harness.ts";
import {
  startTestCheckServer,
  startTlsCheckServer,
  type TestCheckServer,
  type TestCheckServerOptions,
  TRANSPORTS,
} from "../support/check-server.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { field } from "../support/proto-bytes.ts";
import {
  connectRawHttp2,
  ERROR,
  FLAG,
  FRAME,
  grpcData,
  grpcHeaders,
  numberFrame,
  PREFACE,
  type RawHttp2,
  type ReceivedFrame,
  rawCall,
  rawFrame,
  settingsFrame,
} from "../support/raw-http2.ts";
import { waitFor } from "../support/wait-for.ts";
import { type SecurityCase, securityTest } from "./register.ts";
import { ANYJWT, forge, NOW_SEC, requestAuthentication } from "./token-forge.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function attack(
  id: string,
  severity: SecurityCase["severity"],
  about: Pick<SecurityCase, "source" | "title" | "outcome"> & Partial<SecurityCase>,
): SecurityCase {
  return { id, severity, mode: ["exact", "strict", "hardened"], level: "unit", ...about };
}

/** A HealthCheckResponse. */
const SERVING = grpcData(Buffer.from([8, 1]));
const BYTES = new Uint8Array([1, 2, 3]);

async function start(options: TestCheckServerOptions): Promise<TestCheckServer> {
  const server = await startTestCheckServer((message) => message, options);
  cleanUps.push(() => server.stop());
  return server;
}

async function dial(port: number, settings?: Readonly<Record<number, number>>): Promise<RawHttp2> {
  const peer = await connectRawHttp2(port, settings);
  cleanUps.push(() => peer.close());
  return peer;
}

async function expectAlive(server: TestCheckServer): Promise<void> {
  expect((await server.call(BYTES)).code).toBe(status.OK);
}

/** Sends again and again until the connection is cut, or a million times. */
async function floodUntilCut(peer: RawHttp2, part: (round: number) => Buffer): Promise<void> {
  for (let round = 0; round < 1_000_000 && !peer.isClosed; round += 1) {
    peer.send(part(round));
    if (round % 200 === 0) await new Promise(setImmediate);
    if (peer.socket.writableLength > 1 << 20) await new Promise(setImmediate);
  }
  await waitFor("the flood is cut", () => peer.isClosed);
}

function rss(): number {
  return process.memoryUsage().rss;
}

const MB = 1 << 20;

describe.each(TRANSPORTS)("%s", (transport) => {
  const isLean = transport === "lean";

  securityTest(
    attack("J01", "H", {
      source: "CVE-2023-44487, CVE-2021-32778",
      title: "streams are opened and reset without end",
      outcome: "the connection is cut; others are answered",
    }),
    async () => {
      const server = await start({ transport });
      const before = rss();
      const peer = await dial(server.port);
      const flooding = floodUntilCut(peer, (round) =>
        Buffer.concat([
          rawFrame(FRAME.headers, FLAG.endHeaders, 2 * round + 1, grpcHeaders()),
          numberFrame(FRAME.rstStream, 2 * round + 1, ERROR.cancel),
        ]),
      );
      for (let call = 0; call < 20; call += 1) await expectAlive(server);
      await flooding;
      expect(rss() - before).toBeLessThan(100 * MB);
      if (isLean) expect(await peer.ended()).toBe(ERROR.enhanceYourCalm);
      await expectAlive(server);
    },
  );

  securityTest(
    attack("J01", "H", {
      source: "CVE-2025-8671",
      title: "the server is made to reset streams without end, by frames that break the rules of a stream",
      outcome: "the connection is cut, or its memory is bounded; others are answered",
    }),
    async () => {
      const server = await start({ transport });
      const before = rss();
      const peer = await dial(server.port);
      for (let round = 0; round < 10_000 && !peer.isClosed; round += 1) {
        peer.send(
          rawFrame(FRAME.headers, FLAG.endHeaders, 2 * round + 1, grpcHeaders()),
          numberFrame(FRAME.windowUpdate, 2 * round + 1, 0),
        );
        if (round % 100 === 0) await new Promise(setImmediate);
      }
      if (isLean) expect(await peer.ended()).toBe(ERROR.enhanceYourCalm);
      expect(rss() - before).toBeLessThan(100 * MB);
      await expectAlive(server);
    },
  );

  securityTest(
    attack("J02", "H", {
      source: "CVE-2024-27983, CVE-2024-27316, CVE-2024-30255",
      title: "a header block goes on for ever, in CONTINUATION frames with and without content",
      outcome: "the connection is cut; others are answered",
    }),
    async () => {
      const server = await start({ transport });
      for (const content of [grpcHeaders(), Buffer.alloc(0)]) {
        const peer = await dial(server.port);
        peer.send(rawFrame(FRAME.headers, 0, 1, grpcHeaders()));
        await floodUntilCut(peer, () => rawFrame(FRAME.continuation, 0, 1, content));
        if (isLean) expect(await peer.ended()).toBe(ERROR.enhanceYourCalm);
      }
      await expectAlive(server);
    },
  );

  securityTest(
    attack("J03", "H", {
      source: "CVE-2025-59465",
      title: "header blocks that can't be decoded arrive over TLS, and the connection breaks off",
      outcome: "the connection is cut; the process goes on",
    }),
    async () => {
      const server = await startTlsCheckServer((message) => message, { transport });
      cleanUps.push(() => server.stop());
      const blocks = [[0xff, 0xff, 0xff, 0xff, 0xff], [0x80], [0x00, 0x8f, 0xff], [0x3f, 0xff, 0xff, 0x7f], [0xbe]];
      for (const block of blocks) {
        const socket = await dialTls(server.port);
        socket.write(Buffer.concat([PREFACE, settingsFrame({}), rawFrame(FRAME.headers, 5, 1, Buffer.from(block))]));
        await waitFor("the connection is cut", () => socket.readableEnded || socket.destroyed);
      }
      const reset = await dialTls(server.port);
      reset.write(Buffer.concat([PREFACE, settingsFrame({}), rawFrame(FRAME.headers, 5, 1).subarray(0, 9)]));
      reset.destroy();
      const socket = await dialTls(server.port);
      let answered = Buffer.alloc(0);
      socket.on("data", (bytes: Buffer) => {
        answered = Buffer.concat([answered, bytes]);
      });
      socket.write(Buffer.concat([PREFACE, settingsFrame({}), rawCall(1, BYTES)]));
      await waitFor("the call is answered", () => answered.includes(grpcData(BYTES)));
    },
  );

  securityTest(
    attack("J04", "M", {
      source: "CVE-2026-21714",
      title: "the connection's window is made to overflow, 1,000 times",
      outcome: "FLOW_CONTROL_ERROR, and nothing is left of the connection",
    }),
    async () => {
      const server = await start({ transport });
      const before = rss();
      for (let round = 0; round < 1000; round += 1) {
        const peer = await connectRawHttp2(server.port);
        peer.send(numberFrame(FRAME.windowUpdate, 0, 0x7fffffff));
        if (round % 20 === 0) expect(await peer.ended()).toBe(ERROR.flowControlError);
        peer.close();
      }
      expect(rss() - before).toBeLessThan(150 * MB);
      await expectAlive(server);
    },
    60_000,
  );

  securityTest(
    attack("J05", "C", {
      source: "CVE-2026-48068, CVE-2026-48069",
      title: "calls whose headers are malformed, and messages whose compression is",
      outcome: "the call fails; the process goes on",
    }),
    async () => {
      const server = await start({ transport });
      const heads = [
        grpcHeaders("", {}),
        grpcHeaders("no-slash"),
        grpcHeaders(undefined, { ":method": "" }),
        grpcHeaders(undefined, { ":scheme": "" }),
        grpcHeaders(undefined, { ":status": "200" }),
        grpcHeaders(undefined, { connection: "close" }),
        grpcHeaders(undefined, { "Upper-Case": "x" }),
        grpcHeaders(undefined, { "grpc-timeout": "soon" }),
        grpcHeaders(undefined, { "content-type": "text/html" }),
        grpcHeaders(undefined, { "x-bin": "%%%" }),
        grpcHeaders(undefined, { "grpc-encoding": "gzip", "content-length": "7" }),
      ];
      const bodies = [
        Buffer.alloc(0),
        grpcData(BYTES),
        Buffer.concat([Buffer.from([1, 0, 0, 0, 3]), BYTES]),
        Buffer.from([0xff]),
      ];
      for (const head of heads) {
        for (const body of bodies) {
          const peer = await dial(server.port);
          peer.send(
            rawFrame(FRAME.headers, FLAG.endHeaders, 1, head),
            rawFrame(FRAME.data, FLAG.endStream, 1, body),
            rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8)),
          );
          await waitFor("it is judged", () => peer.isClosed || peer.frames.some(({ type }) => type === FRAME.ping));
        }
      }
      await expectAlive(server);
    },
    60_000,
  );

  securityTest(
    attack("J06", "H", {
      source: "CVE-2024-37168",
      title: "a message of 5 MB, one that would inflate to 256 MB, and a thousand that announce a gigabyte",
      outcome: "RESOURCE_EXHAUSTED (compressed messages: UNIMPLEMENTED by our own transport), nothing is kept",
    }),
    async () => {
      const server = await start({ transport });
      expect((await server.call(new Uint8Array(5 * MB))).code).toBe(status.RESOURCE_EXHAUSTED);
      const bomb = gzipSync(Buffer.alloc(256 * MB), { level: 9 });
      const before = rss();
      const flagged = Buffer.concat([Buffer.from([1]), grpcData(bomb).subarray(1)]);
      const answer = await post(server.port, { "grpc-encoding": "gzip" }, flagged);
      expect(answer).toBe(String(isLean ? status.UNIMPLEMENTED : status.RESOURCE_EXHAUSTED));
      const peer = await dial(server.port);
      for (let stream = 1; stream < 1500; stream += 2) {
        peer.send(
          rawFrame(FRAME.headers, FLAG.endHeaders, stream, grpcHeaders()),
          rawFrame(FRAME.data, 0, stream, Buffer.from([0, 0x40, 0, 0, 0, 1])),
        );
      }
      await expectAlive(server);
      expect(rss() - before).toBeLessThan(150 * MB);
    },
  );

  securityTest(
    attack("J07", "H", {
      source: "CVE-2026-44289",
      title: "a CheckRequest whose metadata is nested 10,000 deep",
      outcome: "not allowed, and no stack overflows",
      level: "check",
    }),
    async () => {
      const gatehouse = await startGatehouse({ transport });
      cleanUps.push(() => gatehouse.stop());
      const client = new Client(`127.0.0.1:${gatehouse.checkPort}`, credentials.createInsecure());
      cleanUps.push(() => client.close());
      const code = await new Promise<number>((resolve) => {
        const identity = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
        const path = "/envoy.service.auth.v3.Authorization/Check";
        client.makeUnaryRequest(path, identity, identity, nestedStruct(10_000), (error) => resolve(error?.code ?? 0));
      });
      expect(code).toBe(status.INVALID_ARGUMENT);
    },
  );

  securityTest(
    attack("J08", "H", {
      source: "grpc-js defaults",
      title: "more calls at once than a connection may have, and a connection that only stays",
      outcome: "the calls are refused, the connection is asked to leave",
    }),
    async () => {
      const pending = await startTestCheckServer(() => new Promise(() => undefined), {
        transport,
        limits: { maxConcurrentStreams: 10, maxConnectionIdleMs: 300 },
      });
      cleanUps.push(() => pending.stop());
      const peer = await dial(pending.port);
      const settings = await peer.find("SETTINGS", ({ type, flags }) => type === FRAME.settings && flags === 0);
      expect(readSettings(settings.payload)[3]).toBe(10);
      for (let call = 0; call <= 10; call += 1) peer.send(rawCall(2 * call + 1, BYTES));
      const isRefusal = ({ type }: ReceivedFrame): boolean => type === FRAME.rstStream || type === FRAME.goaway;
      const refused = await peer.find("a refusal", isRefusal);
      // Node's library ends the whole connection.
      if (isLean) expect([refused.streamId, refused.payload.readUInt32BE()]).toEqual([21, ERROR.refusedStream]);
      const idle = await dial(pending.port);
      const goaway = await idle.find("GOAWAY", ({ type }) => type === FRAME.goaway);
      expect(goaway.payload.readUInt32BE(4)).toBe(ERROR.noError);
    },
  );

  securityTest(
    attack("J09", "M", {
      source: "CVE-2019-9512 to 9518, CVE-2020-11080",
      title:
        "floods of PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA and unknown frames from a peer that reads nothing",
      outcome: "the connection is cut or not listened to; memory is bounded, others are answered",
    }),
    async () => {
      const server = await start({ transport });
      const floods = {
        ping: rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8)),
        settings: settingsFrame({ 4: 70_000 }),
        priority: rawFrame(FRAME.priority, 0, 3, Buffer.from([0, 0, 0, 1, 5])),
        windowUpdate: numberFrame(FRAME.windowUpdate, 0, 1),
        emptyData: rawFrame(FRAME.data, 0, 1),
        unknown: rawFrame(0x77, 0, 0),
      };
      const before = rss();
      for (const flood of Object.values(floods)) {
        const peer = await dial(server.port);
        peer.socket.pause();
        peer.send(rawFrame(FRAME.headers, FLAG.endHeaders, 1, grpcHeaders()));
        for (let round = 0; round < 100; round += 1) {
          peer.send(Buffer.concat(new Array(200).fill(flood)));
          await new Promise(setImmediate);
        }
        await expectAlive(server);
        peer.socket.resume();
        if (isLean) expect(await peer.ended()).toBe(ERROR.enhanceYourCalm);
      }
      expect(rss() - before).toBeLessThan(100 * MB);
    },
    60_000,
  );

  securityTest(
    attack("J10", "M", {
      source: "grpc-node 2975",
      title: "2,000 connections, each for one health check",
      outcome: "all are answered; memory stays flat",
    }),
    async () => {
      const server = await start({ transport });
      const request = rawCall(1, new Uint8Array(), grpcHeaders("/grpc.health.v1.Health/Check"));
      const probe = async (): Promise<void> => {
        const socket = await dialTcp(server.port);
        let seen = 0;
        socket.on("data", (bytes: Buffer) => {
          seen += bytes.includes(SERVING) ? 1 : 0;
        });
        socket.write(Buffer.concat([PREFACE, settingsFrame({}), request]));
        while (seen === 0) await once(socket, "data");
        socket.destroy();
      };
      for (let round = 0; round < 500; round += 1) await probe();
      const before = rss();
      for (let round = 0; round < 1500; round += 1) await probe();
      expect(rss() - before).toBeLessThan(100 * MB);
    },
    60_000,
  );

  securityTest(
    attack("J11", "M", {
      source: "CVE-2020-8663",
      title: "more idle connections than the process may have open files",
      outcome: "connections that exist are answered; new ones are taken when there is room again",
    }),
    async () => {
      const file = fileURLToPath(new URL("../transport/check-server.ts", import.meta.url));
      const command = `ulimit -n 100; exec "${process.execPath}" --conditions=source "${file}" ${transport}`;
      const child = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "inherit"] });
      cleanUps.push(() => child.kill("SIGKILL"));
      const port = await readPort(child);
      const peer = await dial(port);
      await expectAnswer(peer, 1);
      const idle = Array.from({ length: 300 }, () => {
        const socket = connect(port, "127.0.0.1");
        socket.on("error", () => undefined);
        return socket;
      });
      cleanUps.push(() => {
        for (const socket of idle) socket.destroy();
      });
      await Promise.all(idle.slice(0, 50).map((socket) => socket.connecting && once(socket, "connect")));
      await expectAnswer(peer, 3);
      for (const socket of idle) socket.destroy();
      await waitFor("a new connection is answered", async () => {
        const late = await dial(port).catch(() => null);
        late?.send(rawCall(1, BYTES));
        return late === null ? false : late.find("an answer", ({ type }) => type === FRAME.data).catch(() => false);
      });
      expect(child.exitCode).toBeNull();
    },
    60_000,
  );

  securityTest(
    attack("J14", "M", {
      source: "reflection, channelz",
      title: "services for debugging",
      outcome: "UNIMPLEMENTED: there are Check and Health only",
    }),
    async () => {
      const server = await start({ transport });
      for (const path of [
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        "/grpc.channelz.v1.Channelz/GetServers",
        "/grpc.health.v1.Health/List",
      ]) {
        expect([path, await post(server.port, { ":path": path }, grpcData(BYTES))]).toEqual([
          path,
          String(status.UNIMPLEMENTED),
        ]);
      }
      const health = new (loadHealth())(`127.0.0.1:${server.port}`, credentials.createInsecure());
      cleanUps.push(() => health.close());
      expect(
        await new Promise((resolve) => health.Check({ service: "" }, (_, answer) => resolve(answer?.status))),
      ).toBe("SERVING");
    },
  );
});

securityTest(
  attack("J12", "H", {
    source: "CPU",
    title: "tokens without key id against a set of twenty keys",
    outcome: "at most 16 keys are tried",
    level: "token",
  }),
  async () => {
    const pairs = Array.from({ length: 20 }, () => generateKeyPairSync("ec", { namedCurve: "P-256" }));
    const jwks = JSON.stringify({ keys: pairs.map(({ publicKey }) => publicKey.export({ format: "jwk" })) });
    const harness = await createCheckHarness({
      policies: requestAuthentication(jwks) + ANYJWT,
      nowMs: () => NOW_SEC * 1000,
    });
    const statusOf = async (at: number): Promise<number> => {
      const key = pairs[at]?.privateKey;
      if (key === undefined) throw new Error(`no key ${at}`);
      return (await harness.check({ token: forge({ key, alg: "ES256", header: { alg: "ES256" } }) })).status;
    };
    expect([await statusOf(0), await statusOf(15), await statusOf(16), await statusOf(19)]).toEqual([
      200, 200, 401, 401,
    ]);
  },
);

securityTest(
  attack("J13", "M", {
    source: "CVE-2026-47774, CVE-2026-73550",
    title: "60 KB of cookies, with and without a rule that reads them",
    outcome: "answered in linear time",
    level: "check",
  }),
  async () => {
    const cookies = (kb: number): readonly (readonly [string, string])[] => [
      ["cookie", Array.from({ length: kb * 100 }, (_, i) => `c${String(i).padStart(4, "0")}=v`).join("; ")],
    ];
    for (const more of ["", "      fromCookies: [auth]\n"]) {
      const harness = await createCheckHarness({
        policies: requestAuthentication(JSON.stringify({ keys: [] }), more),
        nowMs: () => NOW_SEC * 1000,
      });
      const msFor = async (kb: number): Promise<number> => {
        const startedMs = performance.now();
        for (let round = 0; round < 20; round += 1) {
          expect((await harness.check({ headers: cookies(kb) })).status).toBe(200);
        }
        return performance.now() - startedMs;
      };
      await msFor(60);
      // Quadratic time would be a hundred times more, and seconds.
      expect(await msFor(60)).toBeLessThan(2000);
    }
  },
);

async function dialTcp(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  await once(socket, "connect");
  return socket;
}

async function dialTls(port: number): Promise<TLSSocket> {
  const socket = connectTls({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], rejectUnauthorized: false });
  socket.on("error", () => undefined);
  cleanUps.push(() => socket.destroy());
  await once(socket, "secureConnect");
  socket.resume();
  return socket;
}

/** Posts with Node's own HTTP/2. @returns grpc-status */
async function post(port: number, headers: Readonly<Record<string, string>>, body: Uint8Array): Promise<string> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  cleanUps.push(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": "/envoy.service.auth.v3.Authorization/Check",
    "content-type": "application/grpc",
    te: "trailers",
    ...headers,
  });
  const found = new Promise<string>((resolve) => {
    for (const event of ["response", "trailers"] as const) {
      stream.on(event, (fields) => {
        if (fields["grpc-status"] !== undefined) resolve(String(fields["grpc-status"]));
      });
    }
  });
  stream.on("error", () => undefined);
  stream.resume();
  stream.end(body);
  return found;
}

async function expectAnswer(peer: RawHttp2, streamId: number): Promise<void> {
  peer.send(rawCall(streamId, BYTES));
  await peer.find("an answer", (frame) => frame.streamId === streamId && frame.type === FRAME.data);
}

async function readPort(child: ChildProcess): Promise<number> {
  if (child.stdout === null) throw new Error("no output");
  const [line] = await once(createInterface(child.stdout), "line");
  return Number(line);
}

/** SETTINGS as value by id. */
function readSettings(payload: Buffer): Readonly<Record<number, number>> {
  const settings: Record<number, number> = {};
  for (let at = 0; at < payload.length; at += 6) settings[payload.readUInt16BE(at)] = payload.readUInt32BE(at + 2);
  return settings;
}

/** A CheckRequest whose metadata_context nests structs that deep: Value.struct_value (5) of Struct.fields (1) of ... */
function nestedStruct(depth: number): Uint8Array {
  let value: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth && value.length < 900_000; level += 1) {
    value = field(2, field(5, field(1, value)));
  }
  return field(1, field(11, field(1, value)));
}
