import { connect, type Socket } from "node:net";
import type { HeaderLine, RawResponse } from "../support/raw-http.ts";

/** A connection that is used for one request after another, opened again when the other side has closed it. */
export interface KeepAliveConnection {
  /** Sends the head verbatim and reads the answer. `status` 0: closed without an answer. */
  send(head: string, isHead: boolean): Promise<RawResponse>;
  close(): void;
}

/** @param preface what is sent first on each new connection (a PROXY protocol line) */
export function keepAliveConnection(port: number, preface: string): KeepAliveConnection {
  let socket: Socket | undefined;
  return {
    send: async (head, isHead) => {
      if (socket === undefined || socket.destroyed) socket = await open(port, preface);
      const { answer, reusable } = await exchange(socket, head, isHead);
      if (!reusable) socket.destroy();
      return answer;
    },
    close: () => socket?.destroy(),
  };
}

function open(port: number, preface: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => {
      socket.off("error", reject);
      // A reset is seen as the end of the answer; nobody else is to hear of it.
      socket.on("error", () => undefined);
      if (preface !== "") socket.write(preface);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

interface Exchanged {
  readonly answer: RawResponse;
  readonly reusable: boolean;
}

const CLOSED: Exchanged = { answer: { status: 0, headers: [], body: "" }, reusable: false };

function exchange(socket: Socket, head: string, isHead: boolean): Promise<Exchanged> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const finish = (exchanged: Exchanged): void => {
      socket.off("data", onData).off("close", onClose).off("timeout", onTimeout).setTimeout(0);
      resolve(exchanged);
    };
    const onData = (chunk: Buffer): void => {
      bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
      const answer = readAnswer(bytes, isHead);
      if (answer === undefined) return;
      const reusable = !answer.headers.some(([name, value]) => name === "connection" && value === "close");
      finish({ answer, reusable });
    };
    const onClose = (): void => finish(CLOSED);
    const onTimeout = (): void => {
      socket.destroy();
      reject(new Error(`no answer within 20 s to ${JSON.stringify(head)}, got ${JSON.stringify(bytes.toString())}`));
    };
    socket.setTimeout(20_000).once("timeout", onTimeout).on("data", onData).once("close", onClose);
    socket.write(Buffer.from(head, "utf8"));
  });
}

/** The answer when all of it has arrived. Envoy and the upstream always say the length, or send chunks. */
function readAnswer(bytes: Buffer, isHead: boolean): RawResponse | undefined {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const [statusLine = "", ...lines] = bytes.toString("utf8", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (!(status >= 200)) throw new Error(`not a final HTTP/1.1 answer: ${JSON.stringify(statusLine)}`);
  const headers = lines.map((line): HeaderLine => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  if (isHead || status === 204 || status === 304) return { status, headers, body: "" };
  const body = bytes.subarray(headEnd + 4);
  const length = Number(headers.find(([name]) => name === "content-length")?.[1] ?? Number.NaN);
  if (Number.isNaN(length)) throw new Error(`an answer without length: ${bytes.toString("utf8", 0, headEnd)}`);
  return body.length < length ? undefined : { status, headers, body: body.toString("utf8", 0, length) };
}
