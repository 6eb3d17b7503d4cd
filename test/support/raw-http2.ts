import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { encodeFields } from "../../authz-server/src/transport/hpack/encode-fields.ts";
import { ERROR, FLAG, FRAME, PREFACE } from "../../authz-server/src/transport/http2.ts";
import { waitFor } from "./wait-for.ts";

export { ERROR, FLAG, FRAME, PREFACE };

/** A frame that came back. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

/** An HTTP/2 client that sends exactly what a test says, and answers nothing by itself. */
export interface RawHttp2 {
  readonly socket: Socket;
  /** What came back so far. */
  readonly frames: readonly ReceivedFrame[];
  /** The server ended or reset the connection. */
  readonly isClosed: boolean;
  /** Sends bytes in one write. */
  send(...parts: readonly Uint8Array[]): void;
  /** Waits for a frame, among those that have come too. Rejects when the connection ends without. */
  find(what: string, matches: (frame: ReceivedFrame) => boolean): Promise<ReceivedFrame>;
  /** Waits until the connection is gone. @returns the code of the GOAWAY that came last, null when none came */
  ended(): Promise<number | null>;
  close(): void;
}

/** @param settings null: not even the preface is sent */
export async function connectRawHttp2(
  port: number,
  settings: Readonly<Record<number, number>> | null = {},
): Promise<RawHttp2> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const frames: ReceivedFrame[] = [];
  let unread: Buffer = Buffer.alloc(0);
  let isClosed = false;
  socket.on("data", (bytes: Buffer) => {
    unread = Buffer.concat([unread, bytes]);
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const end = 9 + unread.readUIntBE(0, 3);
      const [type = 0, flags = 0] = unread.subarray(3, 5);
      frames.push({ type, flags, streamId: unread.readUInt32BE(5), payload: Buffer.from(unread.subarray(9, end)) });
      unread = unread.subarray(end);
    }
  });
  socket.on("error", () => undefined);
  socket.on("end", () => {
    isClosed = true;
  });
  socket.on("close", () => {
    isClosed = true;
  });
  const send = (...parts: readonly Uint8Array[]): void => void (isClosed || socket.write(Buffer.concat(parts)));
  if (settings !== null) send(PREFACE, settingsFrame(settings), rawFrame(FRAME.settings, FLAG.ack, 0));
  return {
    socket,
    frames,
    get isClosed() {
      return isClosed;
    },
    send,
    find: (what, matches) =>
      waitFor(what, () => {
        const found = frames.find(matches);
        if (found === undefined && isClosed) throw new Error(`the connection ended without ${what}`);
        return found;
      }),
    async ended() {
      await waitFor("the connection is cut", () => isClosed);
      const last = frames.findLast(({ type }) => type === FRAME.goaway);
      return last?.payload.readUInt32BE(4) ?? null;
    },
    close: () => socket.destroy(),
  };
}

/** The bytes of a frame. */
export function rawFrame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array = new Uint8Array(),
): Buffer {
  const bytes = Buffer.alloc(9 + payload.length);
  bytes.writeUIntBE(payload.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(streamId, 5);
  bytes.set(payload, 9);
  return bytes;
}

/** @param settings value by id */
export function settingsFrame(settings: Readonly<Record<number, number>>): Buffer {
  const entries = Object.entries(settings).map(([id, value]) => {
    const bytes = Buffer.alloc(6);
    bytes.writeUInt16BE(Number(id));
    bytes.writeUInt32BE(value, 2);
    return bytes;
  });
  return rawFrame(FRAME.settings, 0, 0, Buffer.concat(entries));
}

/** RST_STREAM or WINDOW_UPDATE. */
export function numberFrame(type: number, streamId: number, value: number): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(value);
  return rawFrame(type, 0, streamId, payload);
}

export const CHECK = "/envoy.service.auth.v3.Authorization/Check";

/** The header block of a gRPC call. @param more overwrites fields; an empty text leaves one out */
export function grpcHeaders(path: string = CHECK, more: Readonly<Record<string, string>> = {}): Buffer {
  const fields = {
    ":method": "POST",
    ":scheme": "http",
    ":path": path,
    ":authority": "authz",
    "content-type": "application/grpc",
    te: "trailers",
    ...more,
  };
  const present = Object.entries(fields).filter(([, value]) => value !== "");
  return encodeFields(present.map(([name, value]) => ({ name, value })));
}

/** A message as DATA carries it. */
export function grpcData(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** A whole call: HEADERS and DATA. */
export function rawCall(streamId: number, message: Uint8Array, headers: Uint8Array = grpcHeaders()): Buffer {
  return Buffer.concat([
    rawFrame(FRAME.headers, FLAG.endHeaders, streamId, headers),
    rawFrame(FRAME.data, FLAG.endStream, streamId, grpcData(message)),
  ]);
}
