import { GRPC, type GrpcStatus, grpcStatus } from "./grpc-status.ts";

/** Flag and length in front of a message. */
const PREFIX_BYTES = 5;
const FIRST_BYTES = 1024;

/** Puts the one message of a call together from the DATA frames of its stream. */
export class MessageReader {
  readonly #maxBytes: number;
  readonly #isCompressed: boolean;
  readonly #prefix: Buffer = Buffer.alloc(PREFIX_BYTES);
  #prefixLength = 0;
  /** Grows with what arrives, whatever length is announced. */
  #bytes: Buffer = Buffer.alloc(0);
  #length = 0;
  #expected = 0;

  constructor(maxBytes: number, isCompressed: boolean) {
    this.#maxBytes = maxBytes;
    this.#isCompressed = isCompressed;
  }

  /** Bytes of memory that are held. */
  get heldBytes(): number {
    return this.#bytes.length;
  }

  /** @returns why the call fails; null: it goes on */
  push(bytes: Buffer, start: number, end: number): GrpcStatus | null {
    let at = start;
    if (this.#prefixLength < PREFIX_BYTES) {
      const copied = bytes.copy(
        this.#prefix,
        this.#prefixLength,
        at,
        Math.min(end, at + PREFIX_BYTES - this.#prefixLength),
      );
      this.#prefixLength += copied;
      at += copied;
      if (this.#prefixLength < PREFIX_BYTES) return null;
      this.#expected = this.#prefix.readUInt32BE(1);
      const fault = faultOfPrefix(this.#prefix[0] ?? 0, this.#expected, this.#maxBytes, this.#isCompressed);
      if (fault !== null) return fault;
    }
    const length = this.#length + end - at;
    if (length > this.#expected) return MORE_THAN_ONE;
    if (length > this.#bytes.length) this.#grow(length);
    bytes.copy(this.#bytes, this.#length, at, end);
    this.#length = length;
    return null;
  }

  /** @returns the message, or why there is none although the caller has ended */
  finish(): Uint8Array | GrpcStatus {
    const isWhole = this.#prefixLength === PREFIX_BYTES && this.#length === this.#expected;
    return isWhole ? this.#bytes.subarray(0, this.#length) : INCOMPLETE;
  }

  #grow(atLeast: number): void {
    const larger = Buffer.allocUnsafeSlow(
      Math.min(this.#expected, Math.max(atLeast, FIRST_BYTES, this.#bytes.length * 2)),
    );
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** The usual case: the payload of one DATA frame is one whole message. @returns undefined when it is not that simple */
export function wholeMessage(bytes: Buffer, start: number, end: number, maxBytes: number): Buffer | undefined {
  const length = end - start - PREFIX_BYTES;
  if (length < 0 || bytes[start] !== 0 || bytes.readUInt32BE(start + 1) !== length || length > maxBytes)
    return undefined;
  return bytes.subarray(start + PREFIX_BYTES, end);
}

/** A caller that ends without a message. */
export const INCOMPLETE: GrpcStatus = grpcStatus(GRPC.internal, "the call ended without a whole message");
/** A caller that sends a second message. */
export const MORE_THAN_ONE: GrpcStatus = grpcStatus(GRPC.internal, "more than one message");

function faultOfPrefix(flag: number, length: number, maxBytes: number, isCompressed: boolean): GrpcStatus | null {
  if (flag === 1 && isCompressed)
    return grpcStatus(GRPC.unimplemented, "compressed messages are not read; send identity");
  if (flag !== 0) return grpcStatus(GRPC.internal, "a compressed message without grpc-encoding");
  if (length > maxBytes)
    return grpcStatus(GRPC.resourceExhausted, `a message of ${length} bytes; at most ${maxBytes} are read`);
  return null;
}
