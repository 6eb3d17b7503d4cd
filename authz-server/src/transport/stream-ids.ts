import { ERROR, protocolError } from "./http2.ts";

/** Streams that we reset lately: the peer may not know yet, and goes on sending. */
const MAX_RESET = 256;
/** Clients count by two; those that leave many ids out are told apart no more. */
const MAX_SKIPPED = 16;

/** What the ids of a connection's streams say about frames for streams that are not open (RFC 9113, §5.1 and §5.1.1). */
export class StreamIds {
  readonly #reset = new Set<number>();
  readonly #skipped: { readonly from: number; readonly to: number }[] = [];
  #last = 0;

  /** Highest that the peer has used. */
  get last(): number {
    return this.#last;
  }

  /** @throws {ConnectionError} when no client may open a stream of this id */
  open(id: number): void {
    if (id % 2 === 0) throw protocolError("a stream with an even id");
    if (id > this.#last + 2 && this.#skipped.length < MAX_SKIPPED) this.#skipped.push({ from: this.#last, to: id });
    this.#last = id;
  }

  /** We reset this stream. */
  reset(id: number): void {
    this.#reset.add(id);
    if (this.#reset.size <= MAX_RESET) return;
    for (const oldest of this.#reset) {
      this.#reset.delete(oldest);
      return;
    }
  }

  /**
   * A frame for a stream that is not open.
   * @throws {ConnectionError} unless the peer may not know yet that the stream is closed; then the frame is to be ignored
   */
  assertClosedByUs(id: number): void {
    if (this.#reset.has(id)) return;
    this.assertUsed(id);
    throw protocolError("a frame for a closed stream", ERROR.streamClosed);
  }

  /** @throws {ConnectionError} when the stream was never opened */
  assertUsed(id: number): void {
    const isSkipped = this.#skipped.some(({ from, to }) => id > from && id < to);
    if (id > this.#last || isSkipped || id % 2 === 0) throw protocolError("a frame for a stream that was never opened");
  }
}
