import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Arrivals, CallSource } from "./call-source.ts";
import type { LoadResult } from "./load-result.ts";

/** HTTP/1.1 requests: every connection has at most one under way. */
export interface HttpLoad extends Arrivals {
  readonly port: number;
  /** Asked for in turn. */
  readonly paths: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
}

/** Sends the requests and waits for all answers. Rejects when one is not 200 or the connection ends. */
export async function runHttpLoad(load: HttpLoad): Promise<LoadResult> {
  const lines = Object.entries(load.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const requests = load.paths.map((path) => Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`));
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.port)));
  const answerSizes = new Set<number>();
  const startedAtMs = performance.now();
  const source = new CallSource(load);
  const connections = sockets.map((socket) => new LoadConnection({ socket, source, requests, answerSizes }));
  source.drive(() => {
    for (const connection of connections) connection.fill();
  });
  await Promise.all(connections.map(({ finished }) => finished));
  const elapsedMs = performance.now() - startedAtMs;
  for (const socket of sockets) socket.destroy();
  return { requests: load.calls, elapsedMs, answerSizes: [...answerSizes], latenciesMs: source.latenciesMs() };
}

async function open(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  return socket;
}

/** A server that is silent for so long will not answer any more. */
const SILENCE_MS = 20_000;

interface ConnectionOptions {
  readonly socket: Socket;
  readonly source: CallSource;
  readonly requests: readonly Buffer[];
  readonly answerSizes: Set<number>;
}

class LoadConnection {
  readonly finished: Promise<void>;
  readonly #options: ConnectionOptions;
  /** When the request under way was due; null: there is none. */
  #sinceMs: number | null = null;
  #unread: Buffer = Buffer.alloc(0);
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
    this.fill();
  }

  /** Sends the next request, if it is due and none is under way. */
  fill(): void {
    if (this.#sinceMs !== null) return;
    const { socket, source, requests } = this.#options;
    const nowMs = performance.now();
    if (source.isDue(nowMs)) {
      const request = requests[source.taken % requests.length];
      this.#sinceMs = source.take(nowMs);
      if (request !== undefined) socket.write(request);
    } else if (source.isEmpty) this.#resolve();
  }

  #read(bytes: Buffer): void {
    const unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    const size = answerSize(unread);
    this.#unread = unread;
    if (size === undefined || unread.length < size) return;
    if (!unread.toString("latin1", 0, 16).startsWith("HTTP/1.1 200 ") || this.#sinceMs === null) {
      throw new Error(`not answered with 200:\n${unread.toString("latin1")}`);
    }
    this.#options.source.answered(this.#sinceMs, performance.now());
    this.#options.answerSizes.add(size);
    this.#sinceMs = null;
    this.#unread = unread.subarray(size);
    this.fill();
  }
}

/** Bytes of the first whole answer; undefined while its head is not complete. Envoy always sends content-length here. */
function answerSize(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString("latin1", 0, headEnd));
  return headEnd + 4 + Number(length?.[1] ?? 0);
}
