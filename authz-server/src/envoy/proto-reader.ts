/** The bytes are no well-formed protobuf message. */
export class ProtoError extends Error {}

/** In larger messages it is mostly few texts that make them large. */
const MAX_WHOLE_BYTES = 16 * 1024;

/**
 * Walks over the fields of protobuf messages inside one buffer, without copying. Texts come out as byte strings (latin-1): Envoy's
 * texts may hold any byte, and every byte counts.
 * @see https://protobuf.dev/programming-guides/encoding/
 */
export class ProtoReader {
  readonly #bytes: Buffer;
  #at: number;
  #tagAt = 0;
  #end: number;
  /** The whole buffer as one text, once `slice` asked for it. */
  #whole: string | undefined;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = 0;
    this.#end = bytes.length;
  }

  /** The next field as `number << 3 | wire type`, or 0 at the end of the message. */
  nextTag(): number {
    if (this.#at === this.#end) return 0;
    this.#tagAt = this.#at;
    const tag = this.uint32();
    if (tag >>> 3 === 0) throw new ProtoError("field number 0");
    return tag;
  }

  /** A varint; bits past the 32nd are dropped, as protobuf prescribes. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
    throw new ProtoError("varint too long");
  }

  /** Whether a byte stands anywhere in the buffer. */
  includes(byte: number): boolean {
    return this.#bytes.includes(byte);
  }

  /** A text or bytes field. */
  text(): string {
    const end = this.#lengthEnd();
    const text = this.#bytes.toString("latin1", this.#at, end);
    this.#at = end;
    return text;
  }

  /**
   * As `text`, and a fifth of its price where a message holds many: texts of a small message are cut from one that is made once.
   * Such a text keeps all of them in memory, so nothing that outlives the request may hold it.
   */
  slice(): string {
    if (this.#bytes.length > MAX_WHOLE_BYTES) return this.text();
    const end = this.#lengthEnd();
    this.#whole ??= this.#bytes.toString("latin1");
    const text = this.#whole.slice(this.#at, end);
    this.#at = end;
    return text;
  }

  /** Reads an embedded message by `read`, which must stop where `nextTag` gives 0. */
  message(read: (reader: ProtoReader) => void): void {
    const end = this.#lengthEnd();
    const outer = this.#end;
    this.#end = end;
    read(this);
    this.#at = end;
    this.#end = outer;
  }

  /** The bytes of an embedded message, for later. Shares memory. */
  bytes(): Buffer {
    const end = this.#lengthEnd();
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return bytes;
  }

  /** Reads an embedded message as `message` does. @returns what `read` makes of it */
  bytesAs<Value>(read: (reader: ProtoReader) => Value): Value {
    const end = this.#lengthEnd();
    const outer = this.#end;
    this.#end = end;
    const value = read(this);
    this.#at = end;
    this.#end = outer;
    return value;
  }

  /** The bytes of the whole field whose tag was read last, tag included, to be passed on. Shares memory. */
  raw(tag: number): Buffer {
    const start = this.#tagAt;
    this.skip(tag);
    return this.#bytes.subarray(start, this.#at);
  }

  double(): number {
    this.#require(8);
    const value = this.#bytes.readDoubleLE(this.#at);
    this.#at += 8;
    return value;
  }

  /** Passes over a field that nobody asked for. */
  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.uint32();
        return;
      case 1:
        this.#require(8);
        this.#at += 8;
        return;
      case 2:
        this.#at = this.#lengthEnd();
        return;
      case 5:
        this.#require(4);
        this.#at += 4;
        return;
      default:
        throw new ProtoError("unknown wire type"); // groups: proto3 has none
    }
  }

  #byte(): number {
    this.#require(1);
    return this.#bytes[this.#at++] ?? 0;
  }

  #lengthEnd(): number {
    const length = this.uint32();
    this.#require(length);
    return this.#at + length;
  }

  #require(length: number): void {
    if (length > this.#end - this.#at) throw new ProtoError("field runs past the end of its message");
  }
}
