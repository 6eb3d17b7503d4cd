import fc from "fast-check";
import { expect, test } from "vitest";
import {
  isJsonList,
  isJsonObject,
  type JsonValue,
  parseJson,
  stringifyJson,
} from "../../authz-server/src/authn/json.ts";
import { FUZZ_TIMEOUT_MS, fuzz, soup } from "./fuzz.ts";

/** What JSON.parse makes of it; undefined if it throws. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Objects as lists of entries, so that `__proto__` is an ordinary name. */
function ours(value: JsonValue): unknown {
  if (isJsonObject(value)) return { members: [...value].map(([name, member]) => [name, ours(member)]) };
  return isJsonList(value) ? value.map(ours) : value;
}

function theirs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(theirs);
  if (typeof value !== "object" || value === null) return value;
  return { members: Object.entries(value).map(([name, member]) => [name, theirs(member)]) };
}

const PIECES = [
  "{",
  "}",
  "[",
  "]",
  ":",
  ",",
  '"a"',
  '"__proto__"',
  '"\\u0061"',
  "1",
  "-0",
  "1e5",
  "1e400",
  "true",
  "null",
  " ",
  '"',
  "\\",
  "\n",
];

test(
  "what is taken, JSON.parse takes too, with the same value",
  async () => {
    const texts = fc.oneof(fc.json(), soup(PIECES), fc.string({ unit: "binary" }));
    await fuzz(texts, (text) => {
      const value = parseJson(text);
      if (value === undefined) return;
      const expected = theirs(parsed(text));
      // Integer-like names come first in JavaScript's objects; ours keep the order of the text.
      expect(sorted(ours(value))).toEqual(sorted(expected));
      expect(sorted(ours(parseJson(stringifyJson(value)) ?? null))).toEqual(sorted(ours(value)));
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "every honest value is taken",
  async () => {
    const values = fc.jsonValue({ maxDepth: 5, stringUnit: "grapheme" });
    await fuzz(values, (value) => {
      const text = JSON.stringify(value);
      const taken = parseJson(text);
      if (taken === undefined) throw new Error(`refused: ${text}`);
      expect(sorted(ours(taken))).toEqual(sorted(theirs(JSON.parse(text))));
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "no name occurs twice in what is taken",
  async () => {
    const names = fc.array(fc.constantFrom("a", "\\u0061", "b", "\\u0062", "__proto__", "\\u005f_proto__"), {
      maxLength: 4,
    });
    await fuzz(names, (list) => {
      const text = `{"x":{${list.map((name, i) => `"${name}":${i}`).join()}}}`;
      const distinct = new Set(list.map((name) => JSON.parse(`"${name}"`)));
      expect(parseJson(text) !== undefined).toBe(distinct.size === list.length);
    });
  },
  FUZZ_TIMEOUT_MS,
);

/** As a text: -0 is 0 there, and the order of members does not matter. */
function sorted(value: unknown): unknown {
  return JSON.stringify(value, (_, member: unknown) =>
    isObject(member) ? { members: member.members.toSorted(byName) } : member,
  );
}

function isObject(value: unknown): value is { readonly members: readonly (readonly [string, unknown])[] } {
  return typeof value === "object" && value !== null && "members" in value;
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : Number(a > b);
}
