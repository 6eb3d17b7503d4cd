import { connect } from "node:net";
import type { LoadResult } from "./load-result.ts";

/** HTTP/1.1 requests in a closed loop: every connection always has one request under way. */
export interface HttpLoad {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly requests: number;
  readonly connections: number;
}

/** Sends the requests and waits for all answers. Rejects when one is not 200 or the connection ends. */
export async function runHttpLoad(load: HttpLoad): Promise<LoadResult> {
  const lines = Object.entries(load.headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const request = Buffer.from(`GET ${load.path} HTTP/1.1\r\n${lines.join("")}\r\n`);
  const counter = { left: load.requests };
  const answerSizes = new Set<number>();
  const startedAtMs = performance.now();
  await Promise.all(
    Array.from({ length: load.connections }, () => keepAsking(load.port, request, counter, answerSizes)),
  );
  return { requests: load.requests, elapsedMs: performance.now() - startedAtMs, answerSizes: [...answerSizes] };
}

function keepAsking(port: number, request: Buffer, counter: { left: number }, answerSizes: Set<number>): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1");
    socket.setNoDelay(true);
    let unread: Buffer = Buffer.alloc(0);
    const ask = (): void => {
      if (counter.left-- > 0) socket.write(request);
      else socket.end(resolve);
    };
    socket.on("connect", ask);
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("the server closed the connection under load"))); // no effect once resolved
    socket.on("data", (bytes: Buffer) => {
      unread = unread.length === 0 ? bytes : Buffer.concat([unread, bytes]);
      const size = answerSize(unread);
      if (size === undefined || unread.length < size) return;
      if (!unread.toString("latin1", 0, 16).startsWith("HTTP/1.1 200 ")) {
        reject(new Error(`not answered with 200:\n${unread.toString("latin1")}`));
        return;
      }
      answerSizes.add(size);
      unread = unread.subarray(size);
      ask();
    });
  });
}

/** Bytes of the first whole answer; undefined while its head is not complete. Envoy always sends content-length here. */
function answerSize(bytes: Buffer): number | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString("latin1", 0, headEnd));
  return headEnd + 4 + Number(length?.[1] ?? 0);
}
