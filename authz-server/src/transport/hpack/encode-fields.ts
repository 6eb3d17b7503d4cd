import { type HeaderField, STATIC_TABLE } from "./static-table.ts";

/**
 * Encodes fields without a table: whole entries of the static table by index, all else as literals that are never indexed.
 * The block means the same wherever it stands, so that it can be made once and sent on every connection.
 */
export function encodeFields(fields: readonly HeaderField[]): Buffer {
  return Buffer.concat(fields.map(encodeField));
}

function encodeField({ name, value }: HeaderField): Buffer {
  const entry = STATIC_TABLE.findIndex((field) => field.name === name && field.value === value);
  if (entry >= 0) return encodeInteger(entry + 1, 0x7f, 0x80);
  const named = STATIC_TABLE.findIndex((field) => field.name === name);
  const head = encodeInteger(named + 1, 0x0f, NEVER_INDEXED);
  return Buffer.concat([head, ...(named < 0 ? [encodeText(name)] : []), encodeText(value)]);
}

const NEVER_INDEXED = 0x10;

/** @param text of characters that are bytes */
function encodeText(text: string): Buffer {
  return Buffer.concat([encodeInteger(text.length, 0x7f, 0), Buffer.from(text, "latin1")]);
}

function encodeInteger(value: number, mask: number, flags: number): Buffer {
  if (value < mask) return Buffer.from([flags | value]);
  const bytes = [flags | mask];
  let rest = value - mask;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
  return Buffer.from(bytes);
}
