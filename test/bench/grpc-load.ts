import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Arrivals, CallSource } from "./call-source.ts";
import type { LoadResult } from "./load-result.ts";

/** Unary gRPC calls: each connection has at most `concurrency` under way. */
export interface GrpcLoad extends Arrivals {
  readonly port: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** `/package.Service/Method` */
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Serialised requests, sent in turn. */
  readonly messages: readonly Uint8Array[];
  readonly connections: number;
  readonly concurrency: number;
}

/**
 * Sends the calls and waits for all answers. It speaks just enough HTTP/2 to cost next to nothing beside the server under
 * test: frames are made once, answers are counted and measured but not decoded (ask with a real client what they
 * say). Rejects when a call is refused or the connection ends.
 */
export async function runGrpcLoad(load: GrpcLoad): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load)));
  const frames = new CallFrames(load);
  const answerSizes = new Set<number>();
  const startedAtMs = performance.now();
  const source = new CallSource(load);
  const connections = sockets.map(
    (socket) => new LoadConnection({ socket, source, frames, concurrency: load.concurrency, answerSizes }),
  );
  source.drive(() => {
    for (const connection of connections) connection.fill();
  });
  await Promise.all(connections.map(({ finished }) => finished));
  const elapsedMs = performance.now() - startedAtMs;
  for (const socket of sockets) socket.destroy();
  return { requests: load.calls, elapsedMs, answerSizes: [...answerSizes], latenciesMs: source.latenciesMs() };
}

async function open({ port, host = "127.0.0.1" }: GrpcLoad): Promise<Socket> {
  const socket = connect(port, host);
  socket.setNoDelay(true);
  await once(socket, "connect");
  return socket;
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
  of(call: number, streamId: number, isFirst: boolean): Buffer {
    const frames = isFirst ? this.#first : this.#next;
    const copy = Buffer.from(frames[call % frames.length] ?? NOTHING);
    copy.writeUInt32BE(streamId, 5);
    copy.writeUInt32BE(streamId, isFirst ? this.#dataIdAt.first : this.#dataIdAt.next);
    return copy;
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
/** A server that is silent for so long will not answer any more. */
const SILENCE_MS = 20_000;
const MAX_FRAME_BYTES = 16_384;
const NOTHING = Buffer.alloc(0);

interface ConnectionOptions {
  readonly socket: Socket;
  readonly source: CallSource;
  readonly frames: CallFrames;
  readonly concurrency: number;
  readonly answerSizes: Set<number>;
}

interface OpenCall {
  readonly sinceMs: number;
  answerBytes: number;
}

class LoadConnection {
  readonly finished: Promise<void>;
  readonly #options: ConnectionOptions;
  readonly #open = new Map<number, OpenCall>();
  #unread: Buffer = NOTHING;
  #nextStreamId = 1;
  #sendWindow = 65_535;
  #resolve: () => void = () => undefined;

  constructor(options: ConnectionOptions) {
    const { socket } = options;
    this.#options = options;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      socket.on("error", reject);
      socket.setTimeout(SILENCE_MS, () => reject(new Error(`the server said nothing for ${SILENCE_MS} ms`)));
      socket.on("close", () => reject(new Error("the server closed the connection under load")));
      socket.on("data", (bytes: Buffer) => {
        try {
          this.#read(bytes);
        } catch (error) {
          reject(error);
        }
      });
    });
    const noPush = Buffer.from([0, 2, 0, 0, 0, 0]);
    this.#write([
      Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      ...[frameHead(noPush.length, SETTINGS, 0, 0), noPush],
      ...[frameHead(4, WINDOW_UPDATE, 0, 0), uint32(MAX_WINDOW - 65_535)],
    ]);
    this.fill();
  }

  /** Makes the calls that are due. */
  fill(): void {
    const { source, frames, concurrency } = this.#options;
    const nowMs = performance.now();
    const calls: Buffer[] = [];
    while (this.#open.size < concurrency && source.isDue(nowMs) && this.#sendWindow >= frames.size(source.taken)) {
      const call = frames.of(source.taken, this.#nextStreamId, this.#nextStreamId === 1);
      this.#sendWindow -= frames.size(source.taken);
      this.#open.set(this.#nextStreamId, { sinceMs: source.take(nowMs), answerBytes: 0 });
      this.#nextStreamId += 2;
      calls.push(call);
    }
    this.#write(calls);
    if (this.#open.size === 0 && source.isEmpty) this.#resolve();
  }

  #read(bytes: Buffer): void {
    const unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    let at = 0;
    while (at + 9 <= unread.length) {
      const end = at + 9 + unread.readUIntBE(at, 3);
      if (end > unread.length) break;
      this.#handle(unread, at, end);
      at = end;
    }
    this.#unread = unread.subarray(at);
    this.fill();
  }

  #handle(bytes: Buffer, at: number, end: number): void {
    const type = bytes[at + 3];
    const flags = bytes[at + 4] ?? 0;
    const streamId = bytes.readUInt32BE(at + 5) & MAX_WINDOW;
    const payload = at + 9;
    if (type === DATA || type === HEADERS) this.#answer(streamId, type === DATA ? end - payload : 0, flags);
    else if (type === RST_STREAM) throw new Error(`a call was reset with code ${bytes.readUInt32BE(payload)}`);
    else if (type === GOAWAY) throw new Error(`the server sent GOAWAY with code ${bytes.readUInt32BE(payload + 4)}`);
    else if (type === WINDOW_UPDATE && streamId === 0) this.#sendWindow += bytes.readUInt32BE(payload);
    else if (type === SETTINGS && (flags & ACK) === 0) this.#write([frameHead(0, SETTINGS, ACK, 0)]);
    else if (type === PING && (flags & ACK) === 0) {
      this.#write([frameHead(8, PING, ACK, 0), bytes.subarray(payload, end)]);
    }
  }

  #answer(streamId: number, dataBytes: number, flags: number): void {
    const call = this.#open.get(streamId);
    if (call === undefined) throw new Error(`an answer to no call, on stream ${streamId}`);
    call.answerBytes += dataBytes;
    if ((flags & END_STREAM) === 0) return;
    this.#open.delete(streamId);
    this.#options.answerSizes.add(call.answerBytes);
    this.#options.source.answered(call.sinceMs, performance.now());
  }

  #write(frames: readonly Buffer[]): void {
    if (frames.length > 0)
      this.#options.socket.write(frames.length === 1 ? (frames[0] ?? NOTHING) : Buffer.concat(frames));
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
