import type { HeaderField } from "./static-table.ts";

/** What an entry costs beside its name and value (RFC 7541, §4.1). */
const ENTRY_OVERHEAD = 32;

/** The fields that the peer lately sent with indexing, newest first (RFC 7541, §2.3.2). */
export class DynamicTable {
  /** Oldest first; entries before `#first` have been evicted. */
  #entries: HeaderField[] = [];
  #first = 0;
  #bytes = 0;
  #maxBytes: number;
  #changes = 0;

  /** @param maxBytes of names, values and 32 for each entry */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Counts what may have changed the meaning of an index. */
  get changes(): number {
    return this.#changes;
  }

  /** @param index from 0, the newest */
  at(index: number): HeaderField | undefined {
    const at = this.#entries.length - 1 - index;
    return at >= this.#first ? this.#entries[at] : undefined;
  }

  /** An entry that is larger than the table empties it. */
  add(field: HeaderField): void {
    this.#changes += 1;
    const size = sizeOf(field);
    this.#evictTo(this.#maxBytes - size);
    if (size > this.#maxBytes) return;
    this.#entries.push(field);
    this.#bytes += size;
  }

  resize(maxBytes: number): void {
    this.#changes += 1;
    this.#maxBytes = maxBytes;
    this.#evictTo(maxBytes);
  }

  #evictTo(maxBytes: number): void {
    while (this.#bytes > maxBytes && this.#first < this.#entries.length) {
      const oldest = this.#entries[this.#first];
      this.#first += 1;
      if (oldest !== undefined) this.#bytes -= sizeOf(oldest);
    }
    // Evicted entries are let go now and then: shifting the array for each of them would cost its length.
    if (this.#first > 32 && this.#first * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    }
  }
}

function sizeOf({ name, value }: HeaderField): number {
  return name.length + value.length + ENTRY_OVERHEAD;
}
