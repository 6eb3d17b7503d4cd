import { describe, expect, it } from "vitest";
import { Claims } from "./claims.ts";
import { isJsonObject, parseJson } from "./json.ts";

function claims(payload: object, ...spaceDelimited: readonly string[]): Claims {
  const parsed = parseJson(JSON.stringify(payload));
  if (!isJsonObject(parsed)) throw new Error("no object");
  return new Claims(parsed, new Set(spaceDelimited));
}

const isA = (text: string): boolean => text === "a";

describe("a claim matches", () => {
  it.each([
    ["a", true],
    [["b", "a"], true],
    [[1, "a"], true],
    ["A", false],
    [[], false],
    [[["a"]], false],
    [{ a: "a" }, false],
    [5, false],
    [true, false],
    [null, false],
  ])("%j: %s", (value, expected) => {
    expect(claims({ c: value }).matches(["c"], isA)).toBe(expected);
  });

  it("at a path through objects, never through lists", () => {
    const nested = claims({ x: { y: "a" }, l: ["a"], "x.y": "b" });
    expect([["x", "y"], ["l", "0"], ["x.y"], ["y"], ["x", "y", "z"]].map((path) => nested.matches(path, isA))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });

  it.each(["__proto__", "constructor", "toString"])("never by what every object has: %s", (name) => {
    expect(claims({}).matches([name], () => true)).toBe(false);
    expect(claims({}).at([name, "name"])).toBeUndefined();
  });
});

describe("a claim of words", () => {
  it.each([
    ["a b", ["a", "b"]],
    ["  a  ", ["a"]],
    ["a", ["a"]],
    ["  ", "  "],
    ["", ""],
    ["a\tb", ["a\tb"]],
    [["a b"], ["a b"]],
    [5, 5],
  ])("%j is %j", (value, expected) => {
    expect(claims({ scope: value }, "scope").at(["scope"])).toEqual(expected);
  });

  it("is one at the top only, by its literal name", () => {
    const payload = claims({ x: { scope: "a b" }, "x.scope": "a b", other: "a b" }, "scope", "x.scope");
    expect(payload.at(["x", "scope"])).toBe("a b");
    expect(payload.at(["x.scope"])).toEqual(["a", "b"]);
    expect(payload.at(["other"])).toBe("a b");
    expect(claims({ scope: { x: "a b" } }, "scope").at(["scope", "x"])).toBe("a b");
  });

  it("stays a text for a principal", () => {
    expect(claims({ sub: "a b" }, "sub").text("sub")).toBe("a b");
    expect(claims({ sub: ["a"] }).text("sub")).toBeUndefined();
  });
});
