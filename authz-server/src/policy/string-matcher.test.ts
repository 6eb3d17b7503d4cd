import type { StringMatch } from "@gatehouse/protos";
import { describe, expect, it } from "vitest";
import { compileAnyOf, compileOne, compileRegex } from "./string-matcher.ts";

const asIs = (text: string): string => text;

describe("one match", () => {
  it.each<[StringMatch, string, boolean]>([
    [{ kind: "exact", value: "a" }, "a", true],
    [{ kind: "exact", value: "a" }, "A", false],
    [{ kind: "exact", value: "" }, "", true],
    [{ kind: "prefix", value: "ab" }, "abc", true],
    [{ kind: "prefix", value: "ab" }, "a", false],
    [{ kind: "suffix", value: "bc" }, "abc", true],
    [{ kind: "suffix", value: "bc" }, "bcd", false],
    [{ kind: "regex", value: "a+" }, "aa", true],
    [{ kind: "regex", value: "a+" }, "aab", false],
    [{ kind: "regex", value: "a|b" }, "b", true],
    [{ kind: "regex", value: "^a|b$" }, "ab", false],
    [{ kind: "regex", value: "." }, "\n", false],
    [{ kind: "present" }, "x", true],
    [{ kind: "present" }, "", false],
    [{ kind: "present" }, "a\nb", false],
  ])("%j of %j: %s", (match, text, expected) => {
    expect(compileOne(match, asIs)(text)).toBe(expected);
    expect(compileAnyOf([match], asIs)(text)).toBe(expected);
  });
});

describe("several matches", () => {
  it("fit when one does", () => {
    const test = compileAnyOf(
      [
        { kind: "exact", value: "a" },
        { kind: "exact", value: "b" },
        { kind: "prefix", value: "p-" },
      ],
      asIs,
    );
    expect(["a", "b", "p-x", "c", ""].map(test)).toEqual([true, true, true, false, false]);
  });

  it("never fit when there are none", () => {
    expect(compileAnyOf([], asIs)("")).toBe(false);
  });

  it("are encoded as told", () => {
    expect(compileAnyOf([{ kind: "exact", value: "A" }], (text) => text.toLowerCase())("a")).toBe(true);
  });
});

describe("a regular expression", () => {
  it("is RE2, which knows no back-references and no look-ahead", () => {
    expect(() => compileRegex("(a)\\1")).toThrow();
    expect(() => compileRegex("(?=a)")).toThrow();
  });

  it("takes linear time for what makes others explode", () => {
    expect(compileRegex("(a+)+b")("a".repeat(2_000))).toBe(false);
  });
});
