import { HpackDecoder } from "./hpack/decoder.ts";
import { faultOf, type RequestHead, RequestHeadBuilder } from "./request-head.ts";

/** Blocks that are remembered, and the largest of them. */
const MAX_REMEMBERED = 64;
const MAX_REMEMBERED_BYTES = 1024;

/**
 * Reads the header blocks of one connection.
 * Proxies send the same block again and again: one that has neither changed the table nor been read under another state of it means
 * what it meant before, and costs one look into a map.
 */
export class HeadReader<Method> {
  readonly #decoder = new HpackDecoder();
  readonly #builder: RequestHeadBuilder<Method>;
  readonly #remembered = new Map<string, RequestHead<Method>>();
  /** One of these, the last that was read: most often the next is the same. */
  #last: { readonly block: Uint8Array; readonly head: RequestHead<Method> } | null = null;
  readonly #maxBytes: number;
  #rememberedAtChange = 0;

  /** @param methods by path */
  constructor(methods: ReadonlyMap<string, Method>, maxHeaderListBytes: number) {
    this.#maxBytes = maxHeaderListBytes;
    this.#builder = new RequestHeadBuilder(methods, maxHeaderListBytes);
  }

  /** @throws {HpackError} */
  readHead(bytes: Buffer, start: number, end: number): RequestHead<Method> {
    if (end - start > MAX_REMEMBERED_BYTES) return this.#decode(bytes, start, end);
    if (this.#rememberedAtChange !== this.#decoder.tableChanges) {
      this.#remembered.clear();
      this.#last = null;
      this.#rememberedAtChange = this.#decoder.tableChanges;
    }
    if (this.#last !== null && isEqual(this.#last.block, bytes, start, end)) return this.#last.head;
    const block = bytes.toString("latin1", start, end);
    const known = this.#remembered.get(block);
    if (known !== undefined) {
      this.#last = { block: Buffer.from(block, "latin1"), head: known };
      return known;
    }
    const head = this.#decode(bytes, start, end);
    const isSelfContained = this.#rememberedAtChange === this.#decoder.tableChanges;
    if (isSelfContained && this.#remembered.size < MAX_REMEMBERED) this.#remembered.set(block, head);
    return head;
  }

  /** @returns what is wrong with the trailers; null: nothing. @throws {HpackError} */
  readTrailers(bytes: Buffer, start: number, end: number): string | null {
    let fault: string | null = null;
    let listBytes = 0;
    this.#decoder.decode(bytes, start, end, (name, value) => {
      // A byte of the block may stand for a field of 4 KiB: no more than the limit is looked at.
      listBytes += name.length + value.length + 32;
      fault ??= listBytes > this.#maxBytes ? "too many trailers" : faultOf(name, value);
    });
    return fault;
  }

  #decode(bytes: Buffer, start: number, end: number): RequestHead<Method> {
    this.#decoder.decode(bytes, start, end, this.#builder.add);
    return this.#builder.finish();
  }
}

function isEqual(block: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (block.length !== end - start) return false;
  for (let at = 0; at < block.length; at++) if (block[at] !== bytes[start + at]) return false;
  return true;
}
