import type { Payload } from "./frame-reader.ts";
import { ConnectionError, ERROR, FLAG, MAX_STREAM_ID, protocolError } from "./http2.ts";
import type { TransportLimits } from "./limits.ts";

/** A header block, whole; the bytes are lent. */
export interface HeaderBlock {
  readonly streamId: number;
  /** The stream ends with it. */
  readonly isLast: boolean;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

/** Puts header blocks together from HEADERS and CONTINUATION (RFC 9113, §4.3 and §6.10). */
export class HeaderBlocks {
  readonly #limits: Pick<TransportLimits, "maxHeaderListBytes" | "maxContinuations">;
  #open: { readonly streamId: number; readonly isLast: boolean; readonly parts: Buffer[]; bytes: number } | null = null;

  constructor(limits: Pick<TransportLimits, "maxHeaderListBytes" | "maxContinuations">) {
    this.#limits = limits;
  }

  /** Whether a block has begun and not ended: nothing but its CONTINUATION may follow. */
  get isOpen(): boolean {
    return this.#open !== null;
  }

  /** HEADERS. @returns the block if that is all of it. @throws {ConnectionError} */
  begin(flags: number, streamId: number, payload: Payload): HeaderBlock | null {
    const { bytes } = payload;
    let { start, end } = payload;
    if ((flags & FLAG.padded) !== 0) {
      end -= bytes[start] ?? 0;
      start += 1;
    }
    const hasPriority = (flags & FLAG.priority) !== 0;
    if (hasPriority) start += 5;
    if (end < start) throw protocolError("more padding than frame");
    if (hasPriority && (bytes.readUInt32BE(start - 5) & MAX_STREAM_ID) === streamId) {
      throw protocolError("a stream that depends on itself");
    }
    const isLast = (flags & FLAG.endStream) !== 0;
    if ((flags & FLAG.endHeaders) !== 0) return { streamId, isLast, bytes, start, end };
    this.#open = { streamId, isLast, parts: [Buffer.from(bytes.subarray(start, end))], bytes: end - start };
    return null;
  }

  /** CONTINUATION. @returns the block if that is the rest of it. @throws {ConnectionError} */
  go(flags: number, streamId: number, { bytes, start, end }: Payload): HeaderBlock | null {
    const open = this.#open;
    if (open === null || streamId !== open.streamId) throw protocolError("CONTINUATION of no header block");
    open.parts.push(Buffer.from(bytes.subarray(start, end)));
    open.bytes += end - start;
    const { maxContinuations, maxHeaderListBytes } = this.#limits;
    if (open.parts.length > maxContinuations + 1 || open.bytes > maxHeaderListBytes) {
      throw new ConnectionError(ERROR.enhanceYourCalm, "header_block", "a header block that does not end");
    }
    if ((flags & FLAG.endHeaders) === 0) return null;
    this.#open = null;
    return { streamId, isLast: open.isLast, bytes: Buffer.concat(open.parts), start: 0, end: open.bytes };
  }
}
