import { describe, expect, test } from "vitest";
import { type MemoryHttp2, openMemoryHttp2 } from "../support/memory-http2.ts";
import {
  ERROR,
  FLAG,
  FRAME,
  grpcData,
  grpcHeaders,
  numberFrame,
  PREFACE,
  type ReceivedFrame,
  rawCall,
  rawFrame,
  settingsFrame,
} from "../support/raw-http2.ts";

const START = Buffer.concat([PREFACE, settingsFrame({}), rawFrame(FRAME.settings, FLAG.ack, 0)]);
const MESSAGE = Buffer.from([1, 2, 3]);

function open(...options: Parameters<typeof openMemoryHttp2>): MemoryHttp2 {
  const connection = openMemoryHttp2(...options);
  connection.receive(START);
  return connection;
}

function framesOf(connection: MemoryHttp2, type: number): readonly ReceivedFrame[] {
  return connection.sent().filter((frame) => frame.type === type);
}

/** Error code of the last GOAWAY; null when there is none. */
function goawayOf(connection: MemoryHttp2): number | null {
  return framesOf(connection, FRAME.goaway).at(-1)?.payload.readUInt32BE(4) ?? null;
}

describe("time", () => {
  test("a peer that sends no preface, or takes no note of our SETTINGS, is cut after 10 s", () => {
    for (const bytes of [Buffer.alloc(0), PREFACE.subarray(0, 5), Buffer.concat([PREFACE, settingsFrame({})])]) {
      const connection = openMemoryHttp2();
      connection.receive(bytes);
      connection.tick(9_000);
      expect(connection.cuts).toEqual([]);
      connection.tick(2_000);
      expect([connection.cuts, goawayOf(connection)]).toEqual([["timeout"], ERROR.settingsTimeout]);
    }
  });

  test.each([
    ["a frame", rawCall(1, MESSAGE).subarray(0, -1)],
    ["a header block", rawFrame(FRAME.headers, 0, 1, grpcHeaders())],
  ])("a peer that does not finish %s within 10 s is cut", (_, bytes) => {
    const connection = open();
    connection.receive(bytes);
    connection.tick(9_000);
    expect(connection.cuts).toEqual([]);
    connection.tick(2_000);
    expect(connection.cuts).toEqual(["timeout"]);
  });

  test("a peer that trickles frames is not taken for one that does not finish", () => {
    const connection = open();
    for (let stream = 1; stream < 100; stream += 2) {
      const call = rawCall(stream, MESSAGE);
      connection.receive(call.subarray(0, 20));
      connection.tick(1_000);
      connection.receive(call.subarray(20));
    }
    expect(connection.cuts).toEqual([]);
    expect(connection.messages).toHaveLength(50);
  });

  test("a request that does not end within 30 s is reset, and others go on", async () => {
    const connection = open();
    connection.receive(rawFrame(FRAME.headers, FLAG.endHeaders, 1, grpcHeaders()));
    connection.tick(29_000);
    connection.receive(rawCall(3, MESSAGE));
    connection.tick(2_000);
    await new Promise(setImmediate);
    const [reset] = framesOf(connection, FRAME.rstStream);
    expect([reset?.streamId, reset?.payload.readUInt32BE()]).toEqual([1, ERROR.cancel]);
    expect(connection.messages).toHaveLength(1);
  });

  test("a silent peer is asked for a sign of life, and cut without one", async () => {
    const connection = open();
    connection.tick(31_000);
    await new Promise(setImmediate);
    expect(framesOf(connection, FRAME.ping)).toHaveLength(1);
    connection.receive(rawFrame(FRAME.ping, FLAG.ack, 0, framesOf(connection, FRAME.ping)[0]?.payload ?? MESSAGE));
    connection.tick(31_000);
    expect(connection.cuts).toEqual([]);
    connection.tick(11_000);
    expect(connection.cuts).toEqual(["timeout"]);
  });

  test.each([
    ["idle", { maxConnectionIdleMs: 5_000 }],
    ["old", { maxConnectionAgeMs: 5_000 }],
  ])("an %s connection is asked to leave, answers what was under way, and ends", (_, limits) => {
    const connection = open(limits);
    connection.receive(rawCall(1, MESSAGE));
    connection.tick(6_000);
    const [warning] = framesOf(connection, FRAME.goaway);
    expect(warning?.payload.readUInt32BE()).toBe(0x7fffffff);
    connection.receive(rawCall(3, MESSAGE)); // was on its way
    const ping = framesOf(connection, FRAME.ping)[0]?.payload ?? MESSAGE;
    connection.receive(rawFrame(FRAME.ping, FLAG.ack, 0, ping));
    const goaway = framesOf(connection, FRAME.goaway).at(-1);
    expect([goaway?.payload.readUInt32BE(), goaway?.payload.readUInt32BE(4)]).toEqual([3, ERROR.noError]);
    expect([connection.messages.length, connection.isEnded]).toEqual([2, true]);
    expect(connection.cuts).toEqual([]);
  });

  test("a call that comes after the last GOAWAY is left to another connection, those before are answered", async () => {
    const { promise, resolve } = Promise.withResolvers<Uint8Array>();
    const connection = open({ maxConnectionAgeMs: 5_000 }, () => promise);
    connection.receive(rawCall(1, MESSAGE));
    connection.tick(6_000);
    connection.tick(2_000); // the PING is not answered: the peer had its time
    connection.receive(rawCall(3, MESSAGE));
    expect([connection.messages.length, connection.isEnded]).toEqual([1, false]);
    resolve(MESSAGE);
    await new Promise(setImmediate);
    expect(framesOf(connection, FRAME.data).map(({ streamId }) => streamId)).toEqual([1]);
    expect([connection.cuts, connection.isEnded]).toEqual([[], true]);
  });
});

describe("amounts", () => {
  test("calls beyond the limit are refused, and the others go on", () => {
    const connection = open({ maxConcurrentStreams: 2 });
    for (const id of [1, 3, 5]) connection.receive(rawFrame(FRAME.headers, FLAG.endHeaders, id, grpcHeaders()));
    const [reset] = framesOf(connection, FRAME.rstStream);
    expect([reset?.streamId, reset?.payload.readUInt32BE()]).toEqual([5, ERROR.refusedStream]);
    connection.receive(rawFrame(FRAME.data, FLAG.endStream, 1, grpcData(MESSAGE)));
    expect(connection.messages).toHaveLength(1);
  });

  test("a call that needs more memory than the connection may have fails, and its memory is free again", () => {
    const connection = open({ maxSessionMemoryMb: 0.1 });
    const begin = (id: number): Buffer => {
      const data = grpcData(Buffer.alloc(60_000)).subarray(0, 15_000);
      const head = rawFrame(FRAME.headers, FLAG.endHeaders, id, grpcHeaders());
      return Buffer.concat([head, rawFrame(FRAME.data, 0, id, data)]);
    };
    for (let id = 1; id < 20; id += 2) connection.receive(begin(id));
    const failed = framesOf(connection, FRAME.headers);
    expect(failed.length).toBeGreaterThan(0);
    for (const { payload } of failed) expect(payload.toString("latin1")).toContain("grpc-status\u00018");
    for (let id = 1; id < 20; id += 2) connection.receive(numberFrame(FRAME.rstStream, id, ERROR.cancel));
    connection.receive(rawCall(21, MESSAGE));
    expect(connection.messages).toHaveLength(1);
  });

  test("headers beyond the limit fail their call", () => {
    const connection = open({ maxHeaderListBytes: 500 });
    connection.receive(rawCall(1, MESSAGE, grpcHeaders(undefined, { "x-large": "x".repeat(500) })));
    connection.receive(rawCall(3, MESSAGE));
    const [first] = framesOf(connection, FRAME.headers);
    expect(first?.payload.toString("latin1")).toContain("grpc-status\u00018");
    expect(connection.messages).toHaveLength(1);
  });

  test("a client that calls, and is slow with windows and PINGs, is no flood", () => {
    const connection = open();
    const ping = rawFrame(FRAME.ping, 0, 0, Buffer.alloc(8));
    for (let call = 0; call < 20_000; call += 1) {
      connection.receive(rawCall(2 * call + 1, MESSAGE));
      connection.receive(Buffer.concat([ping, numberFrame(FRAME.windowUpdate, 0, 100)]));
    }
    expect([connection.cuts, connection.messages.length]).toEqual([[], 20_000]);
  });
});

describe("calls that end early", () => {
  const timed = grpcHeaders(undefined, { "grpc-timeout": "20m" });
  const isAnswered = async (connection: MemoryHttp2): Promise<string> => {
    for (;;) {
      const [answer] = framesOf(connection, FRAME.headers);
      if (answer !== undefined) return answer.payload.toString("latin1");
      await new Promise(setImmediate);
    }
  };

  test("an answer that takes longer than the caller waits becomes DEADLINE_EXCEEDED", async () => {
    const connection = open({}, () => new Promise(() => undefined));
    connection.receive(rawCall(1, MESSAGE, timed));
    expect(await isAnswered(connection)).toContain("grpc-status\u00014");
  });

  test("a request that does not end in that time does too, and what follows of it is ignored", async () => {
    const connection = open();
    connection.receive(rawFrame(FRAME.headers, FLAG.endHeaders, 1, timed));
    expect(await isAnswered(connection)).toContain("grpc-status\u00014");
    connection.receive(rawFrame(FRAME.data, FLAG.endStream, 1, grpcData(MESSAGE)));
    expect([connection.cuts, connection.messages]).toEqual([[], []]);
  });

  test("an answer that comes after the caller has reset the call is dropped", async () => {
    const connection = open({}, (message) => Promise.resolve(message));
    connection.receive(Buffer.concat([rawCall(1, MESSAGE), numberFrame(FRAME.rstStream, 1, ERROR.cancel)]));
    await new Promise(setImmediate);
    expect(connection.sent().filter(({ streamId }) => streamId === 1)).toEqual([]);
  });
});
