import { DynamicTable } from "./dynamic-table.ts";
import { HpackError } from "./hpack-error.ts";
import { decodeHuffman } from "./huffman.ts";
import { type HeaderField, STATIC_TABLE } from "./static-table.ts";

/** Receives the fields of a block in their order. */
export type FieldSink = (name: string, value: string) => void;

/** SETTINGS_HEADER_TABLE_SIZE: the protocol's default, which is never changed here. */
const TABLE_BYTES = 4096;

/**
 * Decodes the header blocks of one connection (RFC 7541). Every block must pass through it, in order, whatever becomes of its stream:
 * blocks change the table by which later ones are read.
 */
export class HpackDecoder {
  readonly #table = new DynamicTable(TABLE_BYTES);
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;

  /** Changes whenever equal blocks may no longer mean the same. */
  get tableChanges(): number {
    return this.#table.changes;
  }

  /** @throws {HpackError} the connection can't go on */
  decode(bytes: Buffer, start: number, end: number, sink: FieldSink): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    let mayResize = true;
    while (this.#at < end) {
      const first = bytes[this.#at] ?? 0;
      if ((first & 0xe0) === 0x20) {
        if (!mayResize) throw new HpackError("a table size update after a field");
        this.#resize();
        continue;
      }
      mayResize = false;
      const { name, value } = this.#readField(first);
      sink(name, value);
    }
    this.#bytes = NOTHING;
  }

  #readField(first: number): HeaderField {
    if ((first & 0x80) !== 0) return this.#field(this.#readInteger(0x7f));
    const isIndexed = (first & 0x40) !== 0;
    const index = this.#readInteger(isIndexed ? 0x3f : 0x0f);
    const name = index === 0 ? this.#readText() : this.#field(index).name;
    const field = { name, value: this.#readText() };
    if (isIndexed) this.#table.add(field);
    return field;
  }

  #field(index: number): HeaderField {
    const field = STATIC_TABLE[index - 1] ?? this.#table.at(index - 1 - STATIC_TABLE.length);
    if (index === 0 || field === undefined) throw new HpackError(`no field has index ${index}`);
    return field;
  }

  #resize(): void {
    const bytes = this.#readInteger(0x1f);
    if (bytes > TABLE_BYTES) throw new HpackError(`a table of ${bytes} bytes is larger than allowed`);
    this.#table.resize(bytes);
  }

  #readText(): string {
    const isHuffman = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#readInteger(0x7f);
    const start = this.#at;
    const end = start + length;
    if (end > this.#end) throw new HpackError("a string goes beyond its block");
    this.#at = end;
    return isHuffman ? decodeHuffman(this.#bytes, start, end) : this.#bytes.toString("latin1", start, end);
  }

  /** An integer whose first bits are those of `mask` (RFC 7541, §5.1), at most 2^21 or so: nothing here is larger. */
  #readInteger(mask: number): number {
    if (this.#at >= this.#end) throw new HpackError("the block ends inside of a field");
    let value = (this.#bytes[this.#at] ?? 0) & mask;
    this.#at += 1;
    if (value < mask) return value;
    for (let shift = 0; shift <= 14; shift += 7) {
      if (this.#at >= this.#end) throw new HpackError("the block ends inside of an integer");
      const byte = this.#bytes[this.#at] ?? 0;
      this.#at += 1;
      value += (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new HpackError("an integer is too large");
  }
}

const NOTHING = Buffer.alloc(0);
