import { once } from "node:events";
import { type ClientHttp2Session, connect } from "node:http2";
import { createServer, type Socket } from "node:net";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FrameReader } from "../../authz-server/src/transport/frame-reader.ts";
import { HpackDecoder } from "../../authz-server/src/transport/hpack/decoder.ts";
import { FLAG, FRAME, rawFrame, settingsFrame } from "../support/raw-http2.ts";
import { waitFor } from "../support/wait-for.ts";
import { FUZZ_RUNS, FUZZ_TIMEOUT_MS } from "./fuzz.ts";

/** Blocks as nghttp2 encodes them, decoded by ours. */
const decoded: (readonly (readonly [string, string])[])[] = [];
const server = createServer((socket) => decodeAll(socket));
let session: ClientHttp2Session;

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  session = connect(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
  await once(session, "connect");
});

afterAll(() => {
  session.destroy();
  server.close();
});

const text = fc.oneof(
  fc.constantFrom("foo", "app=httpbin", "500m", "", "x".repeat(200), "a,b;c"),
  fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)), maxLength: 60 }),
  // Bytes beyond ASCII are sent as Latin-1.
  fc.string({ unit: fc.integer({ min: 0xa0, max: 0xff }).map((code) => String.fromCharCode(code)), maxLength: 20 }),
);
const known = fc.constantFrom("gatehouse-namespace", "gatehouse-labels", "grpc-timeout", "user-agent", "traceparent");
const name = fc.oneof(
  known,
  fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,30}$/).map((suffix) => `x-${suffix}`),
);
/** How many blocks a run has on average. */
const BLOCKS_OF_A_RUN = 25;

test(
  "what another implementation encodes is decoded as it was meant, block after block under one table",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.dictionary(name, text, { maxKeys: 6 }), { minLength: 1, maxLength: 50 }),
        async (blocks) => {
          const before = decoded.length;
          for (const fields of blocks) {
            const stream = session.request({ ":method": "POST", ":path": "/p", ...fields });
            stream.on("error", () => undefined);
          }
          await waitFor("all blocks are decoded", () => decoded.length === before + blocks.length, 60_000);
          const ours = decoded.slice(before).map((fields) => fields.filter(([key]) => !key.startsWith(":")));
          expect(ours.map((fields) => Object.fromEntries(fields))).toEqual(blocks.map((fields) => ({ ...fields })));
        },
      ),
      { numRuns: Math.max(1, Math.ceil(FUZZ_RUNS / BLOCKS_OF_A_RUN)) },
    );
  },
  FUZZ_TIMEOUT_MS,
);

/** A server that decodes header blocks and answers each stream with a reset. */
function decodeAll(socket: Socket): void {
  const decoder = new HpackDecoder();
  const reader = new FrameReader((type, flags, streamId, { bytes, start, end }) => {
    if (type === FRAME.settings && (flags & FLAG.ack) === 0) socket.write(rawFrame(FRAME.settings, FLAG.ack, 0));
    if (type !== FRAME.headers) return;
    const at = (flags & FLAG.priority) === 0 ? start : start + 5;
    const fields: [string, string][] = [];
    decoder.decode(bytes, at, end, (key, value) => void fields.push([key, value]));
    decoded.push(fields);
    socket.write(rawFrame(FRAME.rstStream, 0, streamId, Buffer.from([0, 0, 0, 8])));
  });
  socket.on("error", () => undefined);
  socket.on("data", (bytes) => reader.push(Buffer.from(bytes)));
  socket.write(settingsFrame({ 3: 1_000_000 }));
}
