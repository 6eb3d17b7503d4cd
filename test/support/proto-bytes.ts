/** A length-delimited protobuf field: text, bytes, or the fields of a message. Made by hand, so that the content can be wrong. */
export function field(number: number, content: string | Uint8Array | readonly Uint8Array[]): Uint8Array {
  const bytes = isList(content) ? Buffer.concat(content) : Buffer.from(content);
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

/** A CheckRequest (attributes of HTTP) whose texts are bytes, valid UTF-8 or not. */
export function rawCheckRequest(http: {
  readonly path?: string | Uint8Array;
  readonly host?: string | Uint8Array;
  readonly method?: string | Uint8Array;
  readonly headers?: readonly (readonly [string | Uint8Array, string | Uint8Array])[];
  /** Content of `metadata_context`. */
  readonly metadata?: Uint8Array;
}): Uint8Array {
  const { path = "/headers", host = "httpbin.foo", method = "GET", headers = [], metadata = new Uint8Array() } = http;
  const lines = headers.map(([name, value]) => field(1, [field(1, name), field(3, value)]));
  const request = field(2, [field(2, method), field(4, path), field(5, host), field(13, lines)]);
  return field(1, [field(4, [request]), field(11, metadata)]);
}

function isList(content: string | Uint8Array | readonly Uint8Array[]): content is readonly Uint8Array[] {
  return Array.isArray(content);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return Uint8Array.from([...bytes, rest]);
}
