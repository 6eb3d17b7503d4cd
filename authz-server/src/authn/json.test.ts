import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonValue, parseJson, stringifyJson, valueAt } from "./json.ts";

describe("parseJson", () => {
  it.each([
    ["a duplicate name", '{"iss":"evil","iss":"good"}'],
    ["a duplicate name written with an escape", '{"iss":1,"\\u0069ss":2}'],
    ["a lone surrogate", '"\\ud800"'],
    ["a number beyond double", "1e400"],
    ["a leading zero", "01"],
    ["a trailing comma", "[1,2,]"],
    ["single quotes", "{'a':1}"],
    ["NaN", "NaN"],
    ["a byte order mark", "\ufeff{}"],
    ["a raw control character", '"a\nb"'],
    ["two values", "{} {}"],
    ["nothing", ""],
    ["65 levels", "[".repeat(66) + "]".repeat(66)],
    ["20,000 levels", "[".repeat(20_000)],
  ])("refuses %s", (_, text) => {
    expect(parseJson(text)).toBeUndefined();
  });

  it("keeps names that mean something to JavaScript as plain names", () => {
    const parsed = parseJson('{"__proto__":{"groups":["group1"]},"constructor":1}');
    expect(parsed).toEqual(
      new Map<string, JsonValue>([
        ["__proto__", new Map([["groups", ["group1"]]])],
        ["constructor", 1],
      ]),
    );
  });

  it("agrees with JSON.parse on every JSON text without duplicates", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        const parsed = parseJson(text);
        fc.pre(parsed !== undefined); // lone surrogates, which fast-check also makes
        expect(JSON.parse(stringifyJson(parsed))).toEqual(JSON.parse(text));
      }),
      { numRuns: 2000 },
    );
  });

  it("never accepts what JSON.parse refuses, and never throws", () => {
    const piece = fc.constantFrom(
      "{",
      "}",
      "[",
      "]",
      '"',
      ":",
      ",",
      "a",
      "\\u00",
      "1",
      "-",
      ".",
      "e",
      "true",
      "null",
      " ",
      "\ud800",
      "\\",
      "\n",
      "\x7f",
      "é",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
        const text = pieces.join("");
        if (parseJson(text) !== undefined) expect(() => JSON.parse(text)).not.toThrow();
      }),
      { numRuns: 20_000 },
    );
  });
});

describe("valueAt", () => {
  const root = new Map<string, JsonValue>([
    ["a", new Map([["b.c", "deep"]])],
    ["list", [new Map([["b", 1]])]],
  ]);

  it("walks through objects by literal names", () => {
    expect(valueAt(root, ["a", "b.c"])).toBe("deep");
  });

  it("ends at a list, at a text and at a missing name", () => {
    expect(valueAt(root, ["list", "0"])).toBeUndefined();
    expect(valueAt(root, ["a", "b.c", "length"])).toBeUndefined();
    expect(valueAt(root, ["constructor"])).toBeUndefined();
  });
});
