/** A header block that can't be decoded. Both sides' tables differ from here on, so the connection has to end. */
export class HpackError extends Error {
  readonly code: "hpack_error" = "hpack_error";

  constructor(message: string) {
    super(message);
    this.name = "HpackError";
  }
}
