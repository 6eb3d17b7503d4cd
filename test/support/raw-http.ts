import { connect } from "node:net";

/** One header line as it stands on the wire: name, value. */
export type HeaderLine = readonly [name: string, value: string];

/** A request that is written byte for byte; nothing is encoded, sorted or checked. */
export interface RawRequest {
  readonly method: string;
  /** The Host header. */
  readonly authority: string;
  /** The request target, verbatim. */
  readonly path: string;
  readonly headers: readonly HeaderLine[];
  /** Sends a PROXY protocol v1 header first; the listener must have been built with `proxyProtocol: true`. */
  readonly proxy?: ProxyAddresses;
}

/** What the PROXY protocol header claims. Both addresses must be of one family. */
export interface ProxyAddresses {
  readonly sourceIp: string;
  /** Default 40000. */
  readonly sourcePort?: number;
  /** Default 127.0.0.1 or ::1. */
  readonly destinationIp?: string;
  /** What `destination.port` will be for policy. */
  readonly destinationPort: number;
}

/** `status` 0: the connection was closed without an answer. Header names are lower case, in order, repeated lines kept. */
export interface RawResponse {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly body: string;
}

/**
 * Sends one request over a connection of its own (`Connection: close`) and reads the answer to its end.
 * Texts are sent and read as UTF-8. Throws when nothing listens or the answer is no HTTP/1.1.
 */
export async function sendRaw(port: number, request: RawRequest): Promise<RawResponse> {
  const lines = [
    `${request.method} ${request.path} HTTP/1.1`,
    `Host: ${request.authority}`,
    ...request.headers.map(([name, value]) => `${name}: ${value}`),
    "Connection: close",
  ];
  const head = `${lines.join("\r\n")}\r\n\r\n`;
  const answer = await exchange(port, Buffer.from(request.proxy ? proxyLine(request.proxy) + head : head, "utf8"));
  return answer.length === 0 ? { status: 0, headers: [], body: "" } : parseResponse(answer, request.method);
}

/** Sends bytes that need not be HTTP at all, on a connection of their own, and reads the answer to its end. */
export async function sendBytes(port: number, bytes: Uint8Array): Promise<RawResponse> {
  const answer = await exchange(port, Buffer.from(bytes));
  return answer.length === 0 ? { status: 0, headers: [], body: "" } : parseResponse(answer, "");
}

/** The first value of a header, or undefined. @param name in lower case */
export function headerValue(response: { readonly headers: readonly HeaderLine[] }, name: string): string | undefined {
  return response.headers.find(([candidate]) => candidate === name)?.[1];
}

function proxyLine(addresses: ProxyAddresses): string {
  const isV6 = addresses.sourceIp.includes(":");
  const destinationIp = addresses.destinationIp ?? (isV6 ? "::1" : "127.0.0.1");
  const ports = `${addresses.sourcePort ?? 40_000} ${addresses.destinationPort}`;
  return `PROXY ${isV6 ? "TCP6" : "TCP4"} ${addresses.sourceIp} ${destinationIp} ${ports}\r\n`;
}

function exchange(port: number, bytes: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let isConnected = false;
    const socket = connect(port, "127.0.0.1", () => {
      isConnected = true;
      socket.write(bytes);
    });
    socket.setTimeout(15_000, () => socket.destroy(new Error(`no answer from port ${port} within 15 s`)));
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      // Envoy keeps a connection open for a second after an early answer (delayed_close_timeout).
      if (isWhole(Buffer.concat(chunks))) socket.destroy();
    });
    // A reset after the answer (or instead of one) is an outcome to report, not a failure of the test.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!isConnected || error.code !== "ECONNRESET") reject(error);
    });
    socket.on("close", () => resolve(Buffer.concat(chunks)));
  });
}

function isWhole(bytes: Buffer): boolean {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return false;
  const length = /\r\ncontent-length: *(\d+)/i.exec(bytes.toString("latin1", 0, headEnd))?.[1];
  return length !== undefined && bytes.length >= headEnd + 4 + Number(length);
}

function parseResponse(bytes: Buffer, method: string): RawResponse {
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) throw new Error(`not an HTTP/1.1 response: ${JSON.stringify(bytes.toString("utf8", 0, 200))}`);
  const [statusLine = "", ...lines] = bytes.toString("utf8", 0, headEnd).split("\r\n");
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1]);
  if (!(status >= 100)) throw new Error(`not an HTTP/1.1 status line: ${JSON.stringify(statusLine)}`);
  const headers = lines.map(parseLine);
  const body = bytes.subarray(headEnd + 4);
  if (method === "HEAD") {
    if (body.length > 0) throw new Error(`an answer to HEAD carries ${body.length} bytes of body`);
    return { status, headers, body: "" };
  }
  const isChunked = headers.some(([name, value]) => name === "transfer-encoding" && value === "chunked");
  return { status, headers, body: (isChunked ? joinChunks(body) : body).toString("utf8") };
}

function parseLine(line: string): HeaderLine {
  const colon = line.indexOf(":");
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
}

function joinChunks(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = body.indexOf("\r\n", at);
    if (lineEnd < 0) throw new Error("chunked body ends without its last chunk");
    const size = Number.parseInt(body.toString("latin1", at, lineEnd), 16);
    if (size === 0) return Buffer.concat(parts);
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}
