/**
 * Bytes that are no policy resource, or none that this code may use.
 * The message starts with the path of the part that is wrong: `authorizationPolicy.rules[2].when[0].attribute: ...`.
 */
export class ResourceDecodeError extends Error {
  override readonly name = "ResourceDecodeError";
  /**
   * `MALFORMED_BYTES`: not a protobuf message of this type. `INVALID_SHAPE`: a part is missing, unknown or contradictory.
   * `READER_TOO_OLD`: as INVALID_SHAPE, in a resource that says it needs a newer reader than this code.
   */
  readonly code: "MALFORMED_BYTES" | "INVALID_SHAPE" | "READER_TOO_OLD";

  constructor(code: ResourceDecodeError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A resource that has no faithful wire form. The message starts with its name and says which part is wrong. */
export class ResourceEncodeError extends Error {
  override readonly name = "ResourceEncodeError";
  /** `ILL_FORMED_TEXT`: half of a surrogate pair stands alone. `NUMBER_OUT_OF_RANGE`: fraction, sign or size. */
  readonly code: "ILL_FORMED_TEXT" | "NUMBER_OUT_OF_RANGE";

  constructor(code: ResourceEncodeError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
