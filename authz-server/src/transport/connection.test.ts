import { Duplex } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { Connection } from "./connection.ts";
import { FrameWriter } from "./frame-writer.ts";
import { encodeFields } from "./hpack/encode-fields.ts";
import { FLAG, FRAME, PREFACE } from "./http2.ts";
import { DEFAULT_TRANSPORT_LIMITS } from "./limits.ts";
import type { Method } from "./method.ts";

const NOTHING = new Uint8Array();

/** A connection with one method at /a.B/C. @returns the bytes that go in have their effect at once; `writes` are those that came out */
function open(method: Method): {
  receive(bytes: Uint8Array): void;
  readonly socket: Duplex;
  readonly writes: Buffer[];
  readonly cuts: unknown[];
} {
  const writes: Buffer[] = [];
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      writes.push(Buffer.from(chunk));
      done();
    },
  });
  const cuts: unknown[] = [];
  new Connection({
    socket,
    methods: new Map([["/a.B/C", method]]),
    limits: DEFAULT_TRANSPORT_LIMITS,
    nowMs: () => performance.now(),
    random: () => 0,
    onCut: (reason) => void cuts.push(reason),
    onMethodError: (error) => void cuts.push(error),
  });
  const receive = (bytes: Uint8Array): void => void socket.emit("data", Buffer.from(bytes));
  const settings = new FrameWriter();
  settings.frame(FRAME.settings, 0, 0, NOTHING);
  receive(Buffer.concat([PREFACE, settings.gathered()]));
  return { receive, socket, writes, cuts };
}

function call(timeout: string, streamId = 1): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/a.B/C",
    "content-type": "application/grpc",
    "grpc-timeout": timeout,
  };
  const frames = new FrameWriter();
  const block = encodeFields(Object.entries(fields).map(([name, value]) => ({ name, value })));
  frames.frame(FRAME.headers, FLAG.endHeaders, streamId, block);
  frames.frame(FRAME.data, FLAG.endStream, streamId, Buffer.alloc(5));
  return frames.gathered();
}

test("a stream of messages that ends by its time limit is told to its method", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { receive, cuts } = open({
    kind: "streaming",
    start(_message, replies) {
      replies.onCancel(resolve);
      replies.send(NOTHING);
    },
  });
  receive(call("10m"));
  await promise;
  expect(cuts).toEqual([]);
});

test("a connection that breaks takes its calls with it, and nothing else", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const { receive, socket, cuts } = open({
    kind: "unary",
    answer(_message, _metadata, onCancel) {
      onCancel(resolve);
      return new Promise(() => undefined);
    },
  });
  receive(call("10S"));
  socket.destroy(new Error("ECONNRESET"));
  await promise;
  expect(cuts).toEqual([]);
});

test("a bug in a method is answered and told, and the connection goes on", () => {
  const { receive, cuts } = open({
    kind: "unary",
    answer() {
      throw new TypeError("a bug");
    },
  });
  receive(call("10S"));
  expect(cuts).toEqual([new TypeError("a bug")]);
});

const FIFTY_CALLS = Buffer.concat(Array.from({ length: 50 }, (_, i) => call("10S", 2 * i + 1)));

test("calls that come in one chunk and are answered at once are answered in one write", () => {
  const { receive, writes } = open({ kind: "unary", answer: () => NOTHING });
  writes.length = 0;
  receive(FIFTY_CALLS);
  expect(writes.map(endedStreams)).toEqual([50]);
});

test("all answers that become ready in one turn of the event loop are one write", async () => {
  const { promise: ready, resolve } = Promise.withResolvers<Uint8Array>();
  const { receive, writes } = open({ kind: "unary", answer: () => ready });
  receive(FIFTY_CALLS);
  await turn();
  writes.length = 0;
  resolve(NOTHING);
  await turn();
  await turn();
  expect(writes.map(endedStreams)).toEqual([50]);
});

/** How many answers end in these frames. */
function endedStreams(frames: Buffer): number {
  let ended = 0;
  for (let at = 0; at < frames.length; at += 9 + frames.readUIntBE(at, 3)) {
    if (((frames[at + 4] ?? 0) & FLAG.endStream) !== 0) ended++;
  }
  return ended;
}
