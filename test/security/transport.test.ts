import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { gzipSync } from "node:zlib";
import { loadHealth } from "@gatehouse/protos/wire";
import { credentials, status } from "@grpc/grpc-js";
import { afterEach, describe, expect } from "vitest";
import {
  startTestCheckServer,
  startTlsCheckServer,
  type TestCheckServer,
  type TestCheckServerOptions,
  TRANSPORTS,
} from "../support/check-server.ts";
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
import { attacksAt, securityTest } from "./register.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const attack = attacksAt("unit");

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
      title: "10,000 streams and more are opened and reset, over new connections whenever one is cut",
      outcome: "each connection is cut; others are answered meanwhile",
    }),
    async () => {
      const server = await start({ transport });
      const before = rss();
      let resets = 0;
      const flood = async (): Promise<void> => {
        const peer = await dial(server.port);
        await floodUntilCut(peer, (round) => {
          resets += 1;
          return Buffer.concat([
            rawFrame(FRAME.headers, FLAG.endHeaders, 2 * round + 1, grpcHeaders()),
            numberFrame(FRAME.rstStream, 2 * round + 1, ERROR.cancel),
          ]);
        });
        if (isLean) expect(await peer.ended()).toBe(ERROR.enhanceYourCalm);
        if (resets < 10_000) await flood();
      };
      let isFlooded = true;
      const flooding = flood().finally(() => {
        isFlooded = false;
      });
      let calls = 0;
      for (; isFlooded; calls += 1) await expectAlive(server);
      await flooding;
      expect(calls).toBeGreaterThan(10);
      expect(rss() - before).toBeLessThan(100 * MB);
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
      title: "a message of 5 MB, one that would inflate to 1 GB, and a thousand that announce a gigabyte",
      outcome: "RESOURCE_EXHAUSTED (compressed messages: UNIMPLEMENTED by our own transport), nothing is kept",
    }),
    async () => {
      const server = await start({ transport });
      expect((await server.call(new Uint8Array(5 * MB))).code).toBe(status.RESOURCE_EXHAUSTED);
      // Members of a gzip file that follow one another are one text (RFC 1952, 2.2).
      const bomb = Buffer.concat(new Array(64).fill(gzipSync(Buffer.alloc(16 * MB), { level: 9 })));
      expect(bomb.length).toBeLessThan(MB);
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

/** SETTINGS as value by id. */
function readSettings(payload: Buffer): Readonly<Record<number, number>> {
  const settings: Record<number, number> = {};
  for (let at = 0; at < payload.length; at += 6) settings[payload.readUInt16BE(at)] = payload.readUInt32BE(at + 2);
  return settings;
}
