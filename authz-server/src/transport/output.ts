import type { Duplex } from "node:stream";
import { FrameWriter } from "./frame-writer.ts";
import { DEFAULT_WINDOW, FLAG, FRAME, MAX_FRAME_BYTES } from "./http2.ts";
import type { Stream } from "./stream.ts";

/**
 * The sending side of a connection. Frames are gathered and go out in one write, once all that can be answered now is answered;
 * DATA waits for the peer's windows (RFC 9113, §5.2).
 */
export class Output {
  readonly frames: FrameWriter = new FrameWriter();
  /** The peer's window for the whole connection. */
  window: number = DEFAULT_WINDOW;
  /** The peer's window of a new stream. */
  initialWindow: number = DEFAULT_WINDOW;
  readonly #socket: Duplex;
  /** Streams whose DATA waits, in the order in which they began to. */
  readonly #waiting = new Set<Stream>();

  constructor(socket: Duplex) {
    this.#socket = socket;
  }

  /** Bytes that the peer's machine has not taken. */
  get unsentBytes(): number {
    return this.#socket.writableLength;
  }

  /** Writes what was gathered. */
  flush(): void {
    if (this.frames.isEmpty) return;
    if (this.#socket.writable) this.#socket.write(this.frames.gathered());
    // With nothing left in the socket, the kernel has a copy, or for TLS the bytes are encrypted: the buffer is free again.
    this.frames.written(this.#socket.writableLength === 0);
  }

  /** A whole answer of one gRPC message. @returns whether it is out; if not, it waits for the windows */
  answer(stream: Stream, headers: Uint8Array, message: Uint8Array, trailers: Uint8Array): boolean {
    const length = message.length + 5;
    if (length <= Math.min(this.window, stream.sendWindow, MAX_FRAME_BYTES)) {
      this.window -= length;
      this.frames.answer(stream.id, headers, message, trailers);
      return true;
    }
    this.start(stream, headers);
    stream.unsent.push(withPrefix(message));
    stream.ending = trailers;
    return this.pump(stream);
  }

  /** Response headers, in front of DATA. */
  start(stream: Stream, headers: Uint8Array): void {
    stream.isStarted = true;
    this.frames.frame(FRAME.headers, FLAG.endHeaders, stream.id, headers);
  }

  /** Sends as much of a stream's DATA as its windows let. @returns whether the stream's answer is out in full */
  pump(stream: Stream): boolean {
    for (let chunk = stream.unsent[0]; chunk !== undefined; chunk = stream.unsent[0]) {
      const rest = chunk.length - stream.unsentAt;
      const length = Math.min(rest, this.window, stream.sendWindow, MAX_FRAME_BYTES);
      if (length <= 0) {
        this.#waiting.add(stream);
        return false;
      }
      this.window -= length;
      stream.sendWindow -= length;
      if (length === rest) stream.unsent.shift();
      const isLast = stream.unsent.length === 0 && stream.ending === "data";
      const payload = chunk.subarray(stream.unsentAt, stream.unsentAt + length);
      stream.unsentAt = length === rest ? 0 : stream.unsentAt + length;
      this.frames.frame(FRAME.data, isLast ? FLAG.endStream : 0, stream.id, payload);
    }
    this.#waiting.delete(stream);
    if (stream.ending === null) return false;
    if (stream.ending !== "data") {
      this.frames.frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream.id, stream.ending);
    }
    return true;
  }

  /** After the connection's window has grown. @param done gets the streams whose answers are out now */
  pumpAll(done: (stream: Stream) => void): void {
    for (const stream of [...this.#waiting]) {
      if (this.window <= 0) return;
      if (this.pump(stream)) done(stream);
    }
  }

  /** A stream is over, whatever of it was still to be sent. */
  forget(stream: Stream): void {
    this.#waiting.delete(stream);
  }
}

/** @returns a message as DATA carries it */
export function withPrefix(message: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(message.length + 5);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, 5);
  return bytes;
}
