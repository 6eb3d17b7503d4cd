/** A JSON value whose objects are Maps: claim names are chosen by others, `__proto__` is one of them. */
export type JsonValue = string | number | boolean | null | JsonList | JsonObject;
export type JsonList = readonly JsonValue[];
export type JsonObject = ReadonlyMap<string, JsonValue>;
/** An object of which single members are asked for. */
export type JsonMembers = Pick<JsonObject, "get">;

const MAX_DEPTH = 64;

/**
 * Parses JSON strictly: RFC 8259's grammar, no duplicate names (after unescaping), no lone surrogates, finite numbers,
 * at most 64 levels. Stricter than JSON.parse, which lets the last duplicate win.
 * @returns undefined for anything else
 */
export function parseJson(text: string): JsonValue | undefined {
  const cursor: Cursor = { text, at: 0 };
  const value = parseValue(cursor, 0);
  skipBlanks(cursor);
  return cursor.at === text.length ? value : undefined;
}

/** The value at a path of member names. A list ends the walk, as in Envoy's metadata matcher. */
export function valueAt(root: JsonMembers, path: readonly string[]): JsonValue | undefined {
  const [first, ...rest] = path;
  let value = first === undefined ? undefined : root.get(first);
  for (const name of rest) {
    if (!isJsonObject(value)) return undefined;
    value = value.get(name);
  }
  return value;
}

export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return value instanceof Map;
}

export function isJsonList(value: JsonValue | undefined): value is JsonList {
  return Array.isArray(value);
}

/** Compact JSON text, members in the order of the source. */
export function stringifyJson(value: JsonValue): string {
  if (isJsonObject(value)) {
    return `{${[...value].map(([name, member]) => `${JSON.stringify(name)}:${stringifyJson(member)}`).join(",")}}`;
  }
  if (isJsonList(value)) return `[${value.map(stringifyJson).join(",")}]`;
  return JSON.stringify(value);
}

interface Cursor {
  readonly text: string;
  at: number;
}

// Every parse function returns undefined at the first error; JSON has no undefined, so it cannot be a value.
function parseValue(cursor: Cursor, depth: number): JsonValue | undefined {
  if (depth > MAX_DEPTH) return undefined;
  skipBlanks(cursor);
  switch (cursor.text[cursor.at]) {
    case "{":
      return parseObject(cursor, depth);
    case "[":
      return parseList(cursor, depth);
    case '"':
      return parseString(cursor);
    case "t":
      return parseWord(cursor, "true", true);
    case "f":
      return parseWord(cursor, "false", false);
    case "n":
      return parseWord(cursor, "null", null);
    default:
      return parseNumber(cursor);
  }
}

function parseObject(cursor: Cursor, depth: number): JsonObject | undefined {
  const members = new Map<string, JsonValue>();
  cursor.at++;
  skipBlanks(cursor);
  if (take(cursor, "}")) return members;
  do {
    skipBlanks(cursor);
    const name = cursor.text[cursor.at] === '"' ? parseString(cursor) : undefined;
    skipBlanks(cursor);
    if (name === undefined || members.has(name) || !take(cursor, ":")) return undefined;
    const value = parseValue(cursor, depth + 1);
    if (value === undefined) return undefined;
    members.set(name, value);
    skipBlanks(cursor);
  } while (take(cursor, ","));
  return take(cursor, "}") ? members : undefined;
}

function parseList(cursor: Cursor, depth: number): JsonList | undefined {
  const elements: JsonValue[] = [];
  cursor.at++;
  skipBlanks(cursor);
  if (take(cursor, "]")) return elements;
  do {
    const value = parseValue(cursor, depth + 1);
    if (value === undefined) return undefined;
    elements.push(value);
    skipBlanks(cursor);
  } while (take(cursor, ","));
  return take(cursor, "]") ? elements : undefined;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const ESCAPED = /(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;

function parseString(cursor: Cursor): string | undefined {
  const { text } = cursor;
  const start = cursor.at + 1;
  // Nearly all texts end at the first quotation mark; a pattern would cost several times as much.
  let at = start;
  let code = text.charCodeAt(at);
  while (code !== QUOTE && code !== BACKSLASH && code >= 0x20 && code < 0xd800) code = text.charCodeAt(++at);
  if (code === QUOTE) {
    cursor.at = at + 1;
    return text.slice(start, at);
  }
  cursor.at = start;
  const rest = takePattern(cursor, ESCAPED);
  if (rest === undefined) return undefined;
  const value = rest.includes("\\") ? String(JSON.parse(`"${rest}`)) : rest.slice(0, -1);
  return value.isWellFormed() ? value : undefined;
}

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?/y;

function parseNumber(cursor: Cursor): number | undefined {
  const token = takePattern(cursor, NUMBER);
  if (token === undefined) return undefined;
  const value = Number(token);
  return Number.isFinite(value) ? value : undefined;
}

function parseWord<Value extends boolean | null>(cursor: Cursor, word: string, value: Value): Value | undefined {
  if (!cursor.text.startsWith(word, cursor.at)) return undefined;
  cursor.at += word.length;
  return value;
}

function takePattern(cursor: Cursor, pattern: RegExp): string | undefined {
  pattern.lastIndex = cursor.at;
  const token = pattern.exec(cursor.text)?.[0];
  if (token !== undefined) cursor.at += token.length;
  return token;
}

function take(cursor: Cursor, character: string): boolean {
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at++;
  return true;
}

function skipBlanks(cursor: Cursor): void {
  for (;;) {
    const c = cursor.text.charCodeAt(cursor.at);
    if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
    cursor.at++;
  }
}
