import type { JsonValue } from "../authn/json.ts";
import { ProtoError, ProtoReader } from "./proto-reader.ts";

// envoy.config.core.v3.Metadata, google.protobuf.Struct, Value, ListValue; map entries and Struct fields are key = 1, value = 2.
const FILTER_METADATA = (1 << 3) | 2;
const KEY = (1 << 3) | 2;
const VALUE = (2 << 3) | 2;
const STRING_VALUE = (3 << 3) | 2;
const LIST_VALUE = (6 << 3) | 2;

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/**
 * One value of another filter's dynamic metadata: a text or a list of texts. Other kinds never match a policy, so they read as undefined,
 * and nothing deeper is looked at.
 * @param contexts the encoded `metadata_context` messages; the last one that has the key wins
 */
export function filterMetadata(contexts: readonly Uint8Array[], filter: string, key: string): JsonValue | undefined {
  let found: JsonValue | undefined;
  for (const context of contexts) {
    for (const struct of entries(context, FILTER_METADATA, filter)) {
      for (const value of entries(struct, FILTER_METADATA, key)) found = readValue(value);
    }
  }
  return found;
}

/** The values of the entries of a map field with this key. */
function entries(message: Uint8Array, mapField: number, key: string): readonly Uint8Array[] {
  const values: Uint8Array[] = [];
  const reader = new ProtoReader(message);
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field !== mapField) reader.skip(field);
    else reader.message((entry) => readEntry(entry, key, values));
  }
  return values;
}

function readEntry(reader: ProtoReader, key: string, values: Uint8Array[]): void {
  let name = "";
  let value: Uint8Array = new Uint8Array();
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === KEY) name = utf8(reader.bytes());
    else if (field === VALUE) value = reader.bytes();
    else reader.skip(field);
  }
  if (name === key) values.push(value);
}

function readValue(message: Uint8Array): JsonValue | undefined {
  const reader = new ProtoReader(message);
  let found: JsonValue | undefined;
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === STRING_VALUE) found = utf8(reader.bytes());
    else if (field === LIST_VALUE) found = readList(reader.bytes());
    else {
      found = undefined;
      reader.skip(field);
    }
  }
  return found;
}

function readList(message: Uint8Array): readonly JsonValue[] {
  const texts: JsonValue[] = [];
  const reader = new ProtoReader(message);
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field !== KEY) {
      reader.skip(field); // `values` is field 1, too
      continue;
    }
    const text = readText(reader.bytes());
    if (text !== undefined) texts.push(text);
  }
  return texts;
}

function readText(message: Uint8Array): string | undefined {
  const reader = new ProtoReader(message);
  let text: string | undefined;
  for (let field = reader.nextTag(); field !== 0; field = reader.nextTag()) {
    if (field === STRING_VALUE) text = utf8(reader.bytes());
    else reader.skip(field);
  }
  return text;
}

function utf8(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new ProtoError("invalid UTF-8 in metadata");
  }
}
