import fc from "fast-check";
import { expect, test } from "vitest";
import { HpackDecoder } from "../../authz-server/src/transport/hpack/decoder.ts";
import { HpackError } from "../../authz-server/src/transport/hpack/hpack-error.ts";
import { type MemoryHttp2, openMemoryHttp2 } from "../support/memory-http2.ts";
import { FLAG, FRAME, grpcData, grpcHeaders, PREFACE, rawFrame, settingsFrame } from "../support/raw-http2.ts";
import { FUZZ_TIMEOUT_MS, fuzz } from "./fuzz.ts";

const START = Buffer.concat([PREFACE, settingsFrame({}), rawFrame(FRAME.settings, FLAG.ack, 0)]);

const streamId = fc.oneof(fc.constantFrom(0, 1, 3, 5, 7, 2), fc.nat(0x7fffffff));
const payload = fc.oneof(
  fc.constant(grpcHeaders()),
  fc.constant(grpcHeaders("/unknown/Method")),
  fc.constant(grpcHeaders(undefined, { "content-type": "text/html", ":method": "GET" })),
  fc.constant(grpcData(Buffer.from("message"))),
  fc.constant(Buffer.from([0, 0, 0, 1])),
  fc.constant(Buffer.from([0x7f, 0xff, 0xff, 0xff])),
  fc.constant(Buffer.from([0, 4, 0x7f, 0xff, 0xff, 0xff])),
  fc.constant(Buffer.from([0, 4, 0, 0, 0, 0])),
  fc.constant(Buffer.alloc(8)),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const flags = fc.oneof(fc.constantFrom(0, 1, 4, 5, 8, 0xd, 0x24, 0x2d), fc.nat(255));
const frame = fc
  .tuple(fc.integer({ min: 0, max: 10 }), flags, streamId, payload)
  .map(([type, bits, id, bytes]) => rawFrame(type, bits, id, bytes));
const noise = fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes));

test(
  "no sequence of frames, cut anywhere, does more than end its connection",
  async () => {
    const frames = fc.array(fc.oneof({ weight: 20, arbitrary: frame }, { weight: 1, arbitrary: noise }), {
      maxLength: 15,
    });
    await fuzz(fc.tuple(frames, fc.array(fc.nat(200), { maxLength: 4 }), fc.boolean()), ([parts, cuts, hasStart]) => {
      const connection = openMemoryHttp2();
      receiveInParts(connection, Buffer.concat([...(hasStart ? [START] : []), ...parts]), cuts);
      connection.tick(1000);
      connection.tick(60_000);
      expect(connection.cuts.filter((reason) => reason.startsWith("internal"))).toEqual([]);
      expect(connection.cuts.length).toBeLessThanOrEqual(1);
      if (connection.cuts.length > 0) expect(connection.sent().at(-1)?.type).toBe(FRAME.goaway);
    });
  },
  FUZZ_TIMEOUT_MS,
);

const call = fc.record({
  message: fc.uint8Array({ maxLength: 60 }),
  dataCuts: fc.array(fc.nat(64), { maxLength: 3 }),
  headCuts: fc.array(fc.nat(60), { maxLength: 2 }),
  padding: fc.option(fc.nat(20), { nil: null }),
  hasEmptyEnd: fc.boolean(),
});

test(
  "calls are answered with their message, however they are cut into frames and pieces",
  async () => {
    const calls = fc.array(call, { minLength: 1, maxLength: 5 });
    await fuzz(fc.tuple(calls, fc.array(fc.nat(500), { maxLength: 5 })), ([sent, cuts]) => {
      const connection = openMemoryHttp2();
      const frames = sent.flatMap((one, i) => callFrames(2 * i + 1, one));
      receiveInParts(connection, Buffer.concat([START, ...frames]), cuts);
      expect(connection.cuts).toEqual([]);
      expect(connection.messages.map((message) => [...message])).toEqual(sent.map(({ message }) => [...message]));
      const answers = connection.sent().filter(({ type }) => type === FRAME.data);
      expect(answers.map(({ streamId: id, payload: bytes }) => [id, bytes.toString("hex")])).toEqual(
        sent.map(({ message }, i) => [2 * i + 1, grpcData(message).toString("hex")]),
      );
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "an answer arrives whole, whatever windows the peer gives",
  async () => {
    const windows = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 20_000 })), {
      minLength: 1,
      maxLength: 6,
    });
    const lengths = fc.oneof({ weight: 9, arbitrary: fc.nat(500) }, { weight: 1, arbitrary: fc.nat(20_000) });
    await fuzz(fc.tuple(lengths, lengths, windows), ([length, initial, updates]) => {
      const message = Buffer.alloc(length, 7);
      const connection = openMemoryHttp2({}, () => message);
      connection.receive(Buffer.concat([PREFACE, settingsFrame({ 4: initial }), ...callFrames(1, SMALL)]));
      let allowed = initial;
      for (const bytes of updates) {
        const data = connection.sent().filter(({ type }) => type === FRAME.data);
        const sentBytes = data.reduce((sum, one) => sum + one.payload.length, 0);
        expect(sentBytes).toBe(Math.min(allowed, length + 5));
        connection.receive(windowUpdates(bytes));
        allowed += bytes;
      }
      connection.receive(windowUpdates(100_000));
      const frames = connection.sent().filter(({ streamId: id }) => id === 1);
      const data = Buffer.concat(frames.filter(({ type }) => type === FRAME.data).map(({ payload: bytes }) => bytes));
      expect(data.equals(grpcData(message))).toBe(true);
      expect(frames.at(-1)).toMatchObject({ type: FRAME.headers, flags: FLAG.endHeaders | FLAG.endStream });
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "any bytes in place of a header block are decoded or refused",
  async () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 12 }),
      fc.constant(grpcHeaders()),
      fc.constantFrom([0x82], [0xbe], [0xc0], [0x40, 1, 0x61, 1, 0x62], [0x3f, 0xe1, 0x1f], [0x20], [0x7e, 0x81, 0x1f]),
    );
    await fuzz(fc.array(fc.array(piece, { maxLength: 6 }), { maxLength: 4 }), (blocks) => {
      const decoder = new HpackDecoder();
      for (const pieces of blocks) {
        const block = Buffer.concat(pieces.map((bytes) => Buffer.from(bytes)));
        try {
          decoder.decode(block, 0, block.length, (name, value) =>
            expect(typeof name + typeof value).toBe("stringstring"),
          );
        } catch (error) {
          expect(error).toBeInstanceOf(HpackError);
          return;
        }
      }
    });
  },
  FUZZ_TIMEOUT_MS,
);

interface Call {
  readonly message: Uint8Array;
  readonly dataCuts: readonly number[];
  readonly headCuts: readonly number[];
  readonly padding: number | null;
  readonly hasEmptyEnd: boolean;
}

const SMALL: Call = { message: new Uint8Array(1), dataCuts: [], headCuts: [], padding: null, hasEmptyEnd: false };

/** The frames of one call. */
function callFrames(id: number, { message, dataCuts, headCuts, padding, hasEmptyEnd }: Call): Buffer[] {
  const heads = pieces(grpcHeaders(), headCuts);
  const data = pieces(grpcData(message), dataCuts);
  if (hasEmptyEnd) data.push(Buffer.alloc(0));
  return [
    ...heads.map((block, i) => {
      const isLast = i === heads.length - 1 ? FLAG.endHeaders : 0;
      return rawFrame(i === 0 ? FRAME.headers : FRAME.continuation, isLast, id, block);
    }),
    ...data.map((bytes, i) => {
      const isLast = i === data.length - 1 ? FLAG.endStream : 0;
      if (padding === null) return rawFrame(FRAME.data, isLast, id, bytes);
      const padded = Buffer.concat([Buffer.from([padding]), bytes, Buffer.alloc(padding)]);
      return rawFrame(FRAME.data, isLast | FLAG.padded, id, padded);
    }),
  ];
}

function windowUpdates(bytes: number): Buffer {
  const increment = Buffer.alloc(4);
  increment.writeUInt32BE(bytes);
  return Buffer.concat([0, 1].map((id) => rawFrame(FRAME.windowUpdate, 0, id, increment)));
}

/** Cuts bytes at these places. */
function pieces(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

function receiveInParts(connection: MemoryHttp2, bytes: Buffer, cuts: readonly number[]): void {
  for (const part of pieces(bytes, cuts)) connection.receive(part);
}
