import type { Socket } from "node:net";
import type { CallSource } from "./call-source.ts";
import { type Load, type LoadConnection, type LoadResult, runLoad } from "./load.ts";

/** Unary gRPC calls: each connection has at most `concurrency` under way. */
export interface GrpcLoad extends Load {
  /** `/package.Service/Method` */
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Serialised requests, sent in turn. */
  readonly messages: readonly Uint8Array[];
  readonly concurrency: number;
}

/**
 * Sends the calls and waits for all answers. It speaks just enough HTTP/2 to cost next to nothing beside the server under
 * test: frames are made once, answers are counted and measured but not decoded (ask with a real client what they
 * say). Rejects when a call is refused or the connection ends.
 */
export function runGrpcLoad(load: GrpcLoad): Promise<LoadResult> {
  const frames = new CallFrames(load);
  const { calls, concurrency } = load;
  return runLoad(load, (socket, source) => new GrpcConnection({ socket, source, frames, calls, concurrency }));
}

/** Each message as ready frames, but for their stream id. */
class CallFrames {
  readonly #first: readonly Buffer[];
  readonly #next: readonly Buffer[];
  /** Where the stream id of DATA is. */
  readonly #dataIdAt: { readonly first: number; readonly next: number };

  constructor({ path, host = "127.0.0.1", port, metadata, messages }: GrpcLoad) {
    const { first, next } = headerBlocks(path, `${host}:${port}`, metadata);
    const build = (block: Buffer): Buffer[] => messages.map((message) => callFrames(block, message));
    this.#first = build(first);
    this.#next = build(next);
    this.#dataIdAt = { first: 9 + first.length + 5, next: 9 + next.length + 5 };
  }

  /** Bytes of flow control window that a call needs. */
  size(call: number): number {
    const frames = this.#first[call % this.#first.length];
    return frames === undefined ? 0 : frames.length - this.#dataIdAt.first - 4;
  }

  /** @param isFirst of its connection: it fills the table that the others refer to */
  of(call: number, isFirst: boolean): Buffer {
    const frames = isFirst ? this.#first : this.#next;
    return frames[call % frames.length] ?? NOTHING;
  }

  /** Makes the copy at this place of a batch the one of this stream. */
  setStreamId(batch: Buffer, at: number, streamId: number): void {
    batch.writeUInt32BE(streamId, at + 5);
    batch.writeUInt32BE(streamId, at + (streamId === 1 ? this.#dataIdAt.first : this.#dataIdAt.next));
  }
}

const DATA = 0;
const HEADERS = 1;
const RST_STREAM = 3;
const SETTINGS = 4;
const PING = 6;
const GOAWAY = 7;
const WINDOW_UPDATE = 8;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const MAX_WINDOW = 0x7fffffff;
const MAX_FRAME_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);

interface ConnectionOptions {
  readonly socket: Socket;
  readonly source: CallSource;
  readonly frames: CallFrames;
  /** No connection makes more. */
  readonly calls: number;
  readonly concurrency: number;
}

class GrpcConnection implements LoadConnection {
  readonly #options: ConnectionOptions;
  /** Of each call, in the order of their streams; NaN when it is answered. */
  readonly #sinceMs: Float64Array;
  readonly #answerBytes: Uint32Array;
  #made = 0;
  #open = 0;
  #sendWindow = 65_535;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#sinceMs = new Float64Array(options.calls);
    this.#answerBytes = new Uint32Array(options.calls);
    const noPush = Buffer.from([0, 2, 0, 0, 0, 0]);
    this.#write([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      ...[frameHead(noPush.length, SETTINGS, 0, 0), noPush],
      ...[frameHead(4, WINDOW_UPDATE, 0, 0), uint32(MAX_WINDOW - 65_535)],
    ]);
  }

  get isIdle(): boolean {
    return this.#open === 0;
  }

  fill(): void {
    const { source, frames, concurrency } = this.#options;
    const nowMs = performance.now();
    const calls: Buffer[] = [];
    const firstStreamId = 2 * this.#made + 1;
    while (this.#open < concurrency && source.isDue(nowMs) && this.#sendWindow >= frames.size(source.taken)) {
      calls.push(frames.of(source.taken, this.#made === 0));
      this.#sendWindow -= frames.size(source.taken);
      this.#sinceMs[this.#made++] = source.take(nowMs);
      this.#open += 1;
    }
    if (calls.length === 0) return;
    const batch = Buffer.concat(calls);
    let at = 0;
    for (const [i, { length }] of calls.entries()) {
      frames.setStreamId(batch, at, firstStreamId + 2 * i);
      at += length;
    }
    this.#options.socket.write(batch);
  }

  read(bytes: Buffer): number {
    const nowMs = performance.now();
    let at = 0;
    while (at + 9 <= bytes.length) {
      const end = at + 9 + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      this.#handle(bytes, at, end, nowMs);
      at = end;
    }
    return at;
  }

  #handle(bytes: Buffer, at: number, end: number, nowMs: number): void {
    const type = bytes[at + 3];
    const flags = bytes[at + 4] ?? 0;
    const streamId = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
    const payload = at + 9;
    if (type === DATA) this.#addBytes(streamId, end - payload);
    if (type === DATA || type === HEADERS) {
      if ((flags & END_STREAM) !== 0) this.#answered(streamId, nowMs);
    } else if (type === RST_STREAM) throw new Error(`a call was reset with code ${bytes.readUInt32BE(payload)}`);
    else if (type === GOAWAY) throw new Error(`the server sent GOAWAY with code ${bytes.readUInt32BE(payload + 4)}`);
    else if (type === WINDOW_UPDATE && streamId === 0) this.#sendWindow += bytes.readUInt32BE(payload);
    else if (type === SETTINGS && (flags & ACK) === 0) this.#write([frameHead(0, SETTINGS, ACK, 0)]);
    else if (type === PING && (flags & ACK) === 0) {
      this.#write([frameHead(8, PING, ACK, 0), bytes.subarray(payload, end)]);
    }
  }

  #addBytes(streamId: number, bytes: number): void {
    const call = (streamId - 1) / 2;
    this.#answerBytes[call] = (this.#answerBytes[call] ?? 0) + bytes;
  }

  #answered(streamId: number, nowMs: number): void {
    const call = (streamId - 1) / 2;
    const sinceMs = this.#sinceMs[call] ?? Number.NaN;
    if (call >= this.#made || Number.isNaN(sinceMs)) throw new Error(`an answer to no call, on stream ${streamId}`);
    this.#sinceMs[call] = Number.NaN;
    this.#open -= 1;
    this.#options.source.answered(sinceMs, nowMs, this.#answerBytes[call] ?? 0);
  }

  #write(frames: readonly Buffer[]): void {
    this.#options.socket.write(Buffer.concat(frames));
  }
}

/**
 * What a client that indexes all but `:path` sends, first and from then on, without Huffman coding.
 * Indexes are those of the static table; the dynamic one begins at 62 with the newest.
 */
function headerBlocks(
  path: string,
  authority: string,
  metadata: Readonly<Record<string, string>>,
): { readonly first: Buffer; readonly next: Buffer } {
  const start = Buffer.concat([Buffer.from([0x83, 0x86, 0x04]), hpackText(path)]); // POST, http, :path as a literal
  const indexed: readonly Buffer[] = [
    Buffer.concat([Buffer.from([0x41]), hpackText(authority)]),
    Buffer.concat([Buffer.from([0x5f]), hpackText("application/grpc")]),
    ...Object.entries({ te: "trailers", ...metadata }).map(([name, value]) =>
      Buffer.concat([Buffer.from([0x40]), hpackText(name), hpackText(value)]),
    ),
  ];
  const references = Buffer.from(indexed.map((_, i) => 0x80 | (62 + indexed.length - 1 - i)));
  return { first: Buffer.concat([start, ...indexed]), next: Buffer.concat([start, references]) };
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length >= 127) throw new Error(`header text too long for this load generator: ${text}`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function callFrames(block: Buffer, message: Uint8Array): Buffer {
  const size = message.length + 5;
  if (size > MAX_FRAME_BYTES) throw new Error(`a message of ${message.length} bytes is more than one frame`);
  return Buffer.concat([
    ...[frameHead(block.length, HEADERS, END_HEADERS, 0), block],
    ...[frameHead(size, DATA, END_STREAM, 0), Buffer.from([0]), uint32(message.length), message],
  ]);
}

function frameHead(length: number, type: number, flags: number, streamId: number): Buffer {
  const head = Buffer.allocUnsafe(9);
  head.writeUIntBE(length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return head;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeUInt32BE(value, 0);
  return bytes;
}
