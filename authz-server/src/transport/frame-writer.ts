import { type ErrorCode, FLAG, FRAME, FRAME_HEAD_BYTES } from "./http2.ts";

const FIRST_BYTES = 8 * 1024;
/** A larger buffer is not kept for the next turn. */
const KEPT_BYTES = 128 * 1024;

/** Gathers the frames of one turn of the event loop in one buffer. */
export class FrameWriter {
  #bytes: Buffer = NOTHING;
  #length = 0;

  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** What was gathered. It stays valid until `written`. */
  gathered(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** @param isOurs false: somebody still reads the gathered bytes, so that they must not be written over */
  written(isOurs: boolean): void {
    if (!isOurs || this.#bytes.length > KEPT_BYTES) this.#bytes = NOTHING;
    this.#length = 0;
  }

  /** Gives memory back that is not in use. */
  release(): void {
    if (this.isEmpty) this.#bytes = NOTHING;
  }

  /** A frame with this payload. */
  frame(type: number, flags: number, streamId: number, payload: Uint8Array): void {
    const at = this.#head(type, flags, streamId, payload.length);
    this.#bytes.set(payload, at);
  }

  /** A part of a gRPC message, with its five bytes of prefix when it is the first. */
  data(streamId: number, message: Uint8Array, from: number, to: number): void {
    const prefix = from === 0 ? 5 : 0;
    const at = this.#head(FRAME.data, 0, streamId, prefix + to - from);
    if (prefix > 0) {
      this.#bytes[at] = 0;
      this.#bytes.writeUInt32BE(message.length, at + 1);
    }
    const isWhole = from === 0 && to === message.length;
    this.#bytes.set(isWhole ? message : message.subarray(from, to), at + prefix);
  }

  /**
   * A whole answer: HEADERS, DATA with one gRPC message, and HEADERS that end the stream.
   * @param headers,trailers header blocks, at most a frame each
   */
  answer(streamId: number, headers: Uint8Array, message: Uint8Array, trailers: Uint8Array): void {
    this.frame(FRAME.headers, FLAG.endHeaders, streamId, headers);
    this.data(streamId, message, 0, message.length);
    this.frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, streamId, trailers);
  }

  /** RST_STREAM or WINDOW_UPDATE: a payload of one number. */
  number(type: number, streamId: number, value: number): void {
    const at = this.#head(type, 0, streamId, 4);
    this.#bytes.writeUInt32BE(value, at);
  }

  goaway(lastStreamId: number, code: ErrorCode): void {
    const at = this.#head(FRAME.goaway, 0, 0, 8);
    this.#bytes.writeUInt32BE(lastStreamId, at);
    this.#bytes.writeUInt32BE(code, at + 4);
  }

  /** @returns where the payload goes */
  #head(type: number, flags: number, streamId: number, length: number): number {
    const at = this.#length;
    const end = at + FRAME_HEAD_BYTES + length;
    if (end > this.#bytes.length) this.#grow(end);
    const bytes = this.#bytes;
    bytes[at] = length >> 16;
    bytes[at + 1] = length >> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    bytes.writeUInt32BE(streamId, at + 5);
    this.#length = end;
    return at + FRAME_HEAD_BYTES;
  }

  #grow(atLeast: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(atLeast, FIRST_BYTES, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

const NOTHING = Buffer.alloc(0);
