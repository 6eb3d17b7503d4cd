import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { LoadResult } from "./load-result.ts";

/** Unary gRPC calls in a closed loop: every connection always has `concurrency` calls under way. */
export interface GrpcLoad {
  readonly port: number;
  /** `/package.Service/Method` */
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** Serialised requests, sent in turn. */
  readonly messages: readonly Uint8Array[];
  readonly calls: number;
  readonly connections: number;
  readonly concurrency: number;
}

/**
 * Sends the calls and waits for all answers. It speaks just enough HTTP/2 to cost next to nothing beside the server under
 * test: header blocks are made once, answers are counted and measured but not decoded (ask with a real client what they
 * say). Rejects when a call is refused or the connection ends.
 */
export async function runGrpcLoad(load: GrpcLoad): Promise<LoadResult> {
  const queue = new CallQueue(load);
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.port)));
  const startedAtMs = performance.now();
  await Promise.all(sockets.map((socket) => new LoadConnection(socket, queue, load.concurrency).finished));
  const elapsedMs = performance.now() - startedAtMs;
  for (const socket of sockets) socket.destroy();
  return { requests: load.calls, elapsedMs, answerSizes: [...queue.answerSizes] };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  return socket;
}

/** What all connections share: the calls still to be made, as ready frames but for their stream id. */
class CallQueue {
  readonly answerSizes: Set<number> = new Set();
  readonly #headers: Buffer;
  readonly #messages: readonly Buffer[];
  readonly #calls: number;
  #taken = 0;

  constructor(load: GrpcLoad) {
    this.#headers = headerBlock(load.path, `127.0.0.1:${load.port}`, load.metadata);
    this.#messages = load.messages.map(grpcMessage);
    this.#calls = load.calls;
  }

  get isEmpty(): boolean {
    return this.#taken === this.#calls;
  }

  /** Bytes of flow control window that the next call needs. */
  get nextSize(): number {
    return this.#messages[this.#taken % this.#messages.length]?.length ?? 0;
  }

  take(streamId: number): readonly Buffer[] {
    const message = this.#messages[this.#taken++ % this.#messages.length] ?? Buffer.alloc(0);
    return [
      frameHead(this.#headers.length, HEADERS, END_HEADERS, streamId),
      this.#headers,
      frameHead(message.length, DATA, END_STREAM, streamId),
      message,
    ];
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

class LoadConnection {
  readonly finished: Promise<void>;
  readonly #socket: Socket;
  readonly #queue: CallQueue;
  readonly #concurrency: number;
  /** Bytes of answer by stream. */
  readonly #open = new Map<number, number>();
  #unread: Buffer = Buffer.alloc(0);
  #nextStreamId = 1;
  #sendWindow = 65_535;
  #resolve: () => void = () => undefined;

  constructor(socket: Socket, queue: CallQueue, concurrency: number) {
    this.#socket = socket;
    this.#queue = queue;
    this.#concurrency = concurrency;
    this.finished = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      socket.on("error", reject);
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
    this.#fill();
  }

  #fill(): void {
    const frames: Buffer[] = [];
    while (this.#open.size < this.#concurrency && !this.#queue.isEmpty && this.#sendWindow >= this.#queue.nextSize) {
      this.#sendWindow -= this.#queue.nextSize;
      this.#open.set(this.#nextStreamId, 0);
      frames.push(...this.#queue.take(this.#nextStreamId));
      this.#nextStreamId += 2;
    }
    this.#write(frames);
    if (this.#open.size === 0 && this.#queue.isEmpty) this.#resolve();
  }

  #read(bytes: Buffer): void {
    const unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    let at = 0;
    while (at + 9 <= unread.length) {
      const end = at + 9 + unread.readUIntBE(at, 3);
      if (end > unread.length) break;
      this.#handle(unread.readUInt32BE(at + 5) & MAX_WINDOW, unread.subarray(at, end));
      at = end;
    }
    this.#unread = unread.subarray(at);
    this.#fill();
  }

  #handle(streamId: number, frame: Buffer): void {
    const type = frame[3];
    const flags = frame[4] ?? 0;
    if (type === DATA) this.#open.set(streamId, (this.#open.get(streamId) ?? 0) + frame.length - 9);
    else if (type === RST_STREAM) throw new Error(`a call was reset with code ${frame.readUInt32BE(9)}`);
    else if (type === GOAWAY) throw new Error(`the server sent GOAWAY with code ${frame.readUInt32BE(13)}`);
    else if (type === WINDOW_UPDATE && streamId === 0) this.#sendWindow += frame.readUInt32BE(9);
    else if (type === SETTINGS && (flags & ACK) === 0) this.#write([frameHead(0, SETTINGS, ACK, 0)]);
    else if (type === PING && (flags & ACK) === 0) this.#write([frameHead(8, PING, ACK, 0), frame.subarray(9)]);
    if ((type === DATA || type === HEADERS) && (flags & END_STREAM) !== 0) {
      this.#queue.answerSizes.add(this.#open.get(streamId) ?? -1);
      this.#open.delete(streamId);
    }
  }

  #write(frames: readonly Buffer[]): void {
    if (frames.length > 0) this.#socket.write(Buffer.concat(frames));
  }
}

/** HPACK without indexing and without Huffman coding. Indexes are those of the static table. */
function headerBlock(path: string, authority: string, metadata: Readonly<Record<string, string>>): Buffer {
  const [post, http] = [0x83, 0x86];
  const [nameAuthority, namePath] = [0x01, 0x04];
  const nameContentType = [0x0f, 0x10];
  return Buffer.concat([
    Buffer.from([post, http, namePath]),
    hpackText(path),
    Buffer.from([nameAuthority]),
    hpackText(authority),
    Buffer.from(nameContentType),
    hpackText("application/grpc"),
    ...Object.entries({ te: "trailers", ...metadata }).flatMap(([name, value]) => [
      Buffer.from([0x00]),
      hpackText(name),
      hpackText(value),
    ]),
  ]);
}

function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text, "latin1");
  if (bytes.length >= 127) throw new Error(`header text too long for this load generator: ${text}`);
  return Buffer.concat([Buffer.from([bytes.length]), bytes]);
}

function grpcMessage(message: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([0]), uint32(message.length), message]);
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
