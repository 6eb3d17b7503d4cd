import type { Socket } from "node:net";
import type { CallSource } from "./call-source.ts";
import { type Load, type LoadConnection, type LoadResult, runLoad } from "./load.ts";

/** HTTP/1.1 requests: every connection has at most one under way. */
export interface HttpLoad extends Load {
  /** Sent in turn. */
  readonly requests: readonly HttpRequest[];
}

/** A GET. */
export interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Sends the requests and waits for all answers. Rejects when one is not 200 or the connection ends. */
export function runHttpLoad(load: HttpLoad): Promise<LoadResult> {
  const requests = load.requests.map(({ path, headers }) => {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  });
  return runLoad(load, (socket, source) => new HttpConnection(socket, source, requests));
}

class HttpConnection implements LoadConnection {
  readonly #socket: Socket;
  readonly #source: CallSource;
  readonly #requests: readonly Buffer[];
  /** When the request under way was due; null: there is none. */
  #sinceMs: number | null = null;

  constructor(socket: Socket, source: CallSource, requests: readonly Buffer[]) {
    this.#socket = socket;
    this.#source = source;
    this.#requests = requests;
  }

  get isIdle(): boolean {
    return this.#sinceMs === null;
  }

  fill(): void {
    const nowMs = performance.now();
    if (this.#sinceMs !== null || !this.#source.isDue(nowMs)) return;
    const request = this.#requests[this.#source.taken % this.#requests.length];
    this.#sinceMs = this.#source.take(nowMs);
    if (request !== undefined) this.#socket.write(request);
  }

  read(bytes: Buffer): number {
    const size = answerSize(bytes);
    if (size === undefined || bytes.length < size) return 0;
    if (!bytes.toString("latin1", 0, 16).startsWith("HTTP/1.1 200 ") || this.#sinceMs === null) {
      throw new Error(`not answered with 200:\n${bytes.toString("latin1")}`);
    }
    this.#source.answered(this.#sinceMs, performance.now(), size);
    this.#sinceMs = null;
    return size;
  }
}

/** Bytes of the first whole answer; undefined while its head is not complete. Envoy always sends content-length here. */
function answerSize(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString("latin1", 0, headEnd));
  return headEnd + 4 + Number(length?.[1] ?? 0);
}
