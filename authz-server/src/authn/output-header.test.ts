import { describe, expect, it } from "vitest";
import { isJsonObject, parseJson } from "./json.ts";
import { claimToHeaderValue } from "./output-header.ts";

describe("a claim becomes a header", () => {
  it.each([
    ['"text"', "text"],
    ['"größe"', "größe"],
    ['"a\\tb"', "a\tb"],
    ["1562182722", "1562182722"],
    ["0", "0"],
    ["1e3", "1000"],
    ["1.0", "1"],
    ["18446744073709549568", "18446744073709549568"],
    ["18446744073709551616", "18446744073709551616.000000"],
    ["-1", "-1.000000"],
    ["1.5", "1.500000"],
    ["-0.0000001", "-0.000000"],
    ["true", "true"],
    ["false", "false"],
    ['["group-1"]', "WyJncm91cC0xIl0="],
    ['{ "a" : [ 1, "b" ] }', "eyJhIjpbMSwiYiJdfQ=="],
    ["[]", "W10="],
    ['""', undefined],
    ["null", undefined],
    ['"a\\r\\nx-injected: 1"', undefined],
    ['"a\\u0000b"', undefined],
    ['"a\\u007fb"', undefined],
  ])("%s: %j", (json, expected) => {
    const payload = parseJson(`{"c":${json}}`);
    if (!isJsonObject(payload)) throw new Error("no object");
    expect(claimToHeaderValue(payload, ["c"])).toBe(expected);
    expect(claimToHeaderValue(payload, ["c", "x"])).toBe(undefined);
    expect(claimToHeaderValue(payload, ["d"])).toBe(undefined);
  });
});
