import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { Connection } from "./connection.ts";
import { FrameWriter } from "./frame-writer.ts";
import { encodeFields } from "./hpack/encode-fields.ts";
import { FLAG, FRAME, PREFACE } from "./http2.ts";
import { DEFAULT_TRANSPORT_LIMITS } from "./limits.ts";
import type { Method } from "./method.ts";

const NOTHING = new Uint8Array();

/** A connection with one method at /a.B/C. @returns the bytes that go in have their effect at once */
function open(method: Method): { receive(bytes: Uint8Array): void; readonly socket: Duplex; readonly cuts: unknown[] } {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
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
  return { receive, socket, cuts };
}

function call(timeout: string): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": "/a.B/C",
    "content-type": "application/grpc",
    "grpc-timeout": timeout,
  };
  const frames = new FrameWriter();
  const block = encodeFields(Object.entries(fields).map(([name, value]) => ({ name, value })));
  frames.frame(FRAME.headers, FLAG.endHeaders, 1, block);
  frames.frame(FRAME.data, FLAG.endStream, 1, Buffer.alloc(5));
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
