import { ERROR, FRAME_HEAD_BYTES, MAX_FRAME_BYTES, PREFACE, protocolError } from "./http2.ts";

/** A frame, without its head. `start` and `end` bound the payload within `bytes`, which are only lent. */
export type FrameHandler = (type: number, flags: number, streamId: number, payload: Payload) => void;

/** Where a payload lies. One object is used again and again. */
export interface Payload {
  bytes: Buffer;
  start: number;
  end: number;
}

/**
 * Cuts what arrives into frames: first the preface, then one call for each frame.
 * Frames that lie whole in what arrived are handed on where they lie. Of one that does not, the beginning is copied to a place of
 * its full size, so that slow senders cost each byte once.
 */
export class FrameReader {
  readonly #handle: FrameHandler;
  readonly #payload: Payload = { bytes: Buffer.alloc(0), start: 0, end: 0 };
  #prefaceSeen = 0;
  /** The frame that has not arrived in full: its head, or all of it once the head is known. */
  #partial: Buffer = Buffer.alloc(0);
  #partialLength = 0;

  constructor(handle: FrameHandler) {
    this.#handle = handle;
  }

  /** Whether the next byte is expected to begin a frame. */
  get isBetweenFrames(): boolean {
    return this.#partialLength === 0;
  }

  /** @throws {ConnectionError} for a wrong preface and for a frame that is too large; and what the handler throws */
  push(chunk: Buffer): void {
    let at = this.#prefaceSeen < PREFACE.length ? this.#readPreface(chunk) : 0;
    while (this.#partialLength > 0 && at < chunk.length) at = this.#complete(chunk, at);
    while (chunk.length - at >= FRAME_HEAD_BYTES) {
      const end = at + FRAME_HEAD_BYTES + payloadLength(chunk, at);
      if (end > chunk.length) break;
      this.#emit(chunk, at, end);
      at = end;
    }
    if (at < chunk.length) this.#keep(chunk, at);
  }

  #readPreface(chunk: Buffer): number {
    const length = Math.min(chunk.length, PREFACE.length - this.#prefaceSeen);
    if (chunk.compare(PREFACE, this.#prefaceSeen, this.#prefaceSeen + length, 0, length) !== 0) {
      throw protocolError("no HTTP/2 preface");
    }
    this.#prefaceSeen += length;
    return length;
  }

  #keep(chunk: Buffer, at: number): void {
    const isHeadKnown = chunk.length - at >= FRAME_HEAD_BYTES;
    this.#partial = Buffer.allocUnsafe(FRAME_HEAD_BYTES + (isHeadKnown ? payloadLength(chunk, at) : 0));
    this.#partialLength = chunk.copy(this.#partial, 0, at);
  }

  #complete(chunk: Buffer, from: number): number {
    const at = from + this.#fill(chunk, from);
    if (this.#partialLength < this.#partial.length) return at;
    const length = FRAME_HEAD_BYTES + payloadLength(this.#partial, 0);
    if (length > this.#partial.length) {
      this.#partial = Buffer.concat([this.#partial], length);
      return at;
    }
    const frame = this.#partial;
    this.#partialLength = 0;
    this.#partial = NOTHING;
    this.#emit(frame, 0, length);
    return at;
  }

  #fill(chunk: Buffer, from: number): number {
    const copied = chunk.copy(this.#partial, this.#partialLength, from);
    this.#partialLength += copied;
    return copied;
  }

  #emit(bytes: Buffer, at: number, end: number): void {
    const payload = this.#payload;
    payload.bytes = bytes;
    payload.start = at + FRAME_HEAD_BYTES;
    payload.end = end;
    this.#handle(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, bytes.readUInt32BE(at + 5) & 0x7fffffff, payload);
  }
}

const NOTHING = Buffer.alloc(0);

function payloadLength(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (length > MAX_FRAME_BYTES) throw protocolError(`a frame of ${length} bytes`, ERROR.frameSizeError);
  return length;
}
