// Messages are put together as byte strings (one character a byte); that is faster than many small buffers.

/** A field of wire type 2: text, bytes or message. @param payload a byte string */
export function field(number: number, payload: string): string {
  return String.fromCharCode((number << 3) | 2) + varint(payload.length) + payload;
}

/** A field of wire type 0. @param number at most 15, as for `field` */
export function intField(number: number, value: number): string {
  return String.fromCharCode(number << 3) + varint(value);
}

/** The bytes of a whole message. */
export function toBytes(message: string): Buffer {
  return Buffer.from(message, "latin1");
}

function varint(value: number): string {
  let rest = value;
  let bytes = "";
  while (rest > 0x7f) {
    bytes += String.fromCharCode((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return bytes + String.fromCharCode(rest);
}
