import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { orderedLocations, tokensAt, withoutParams } from "./token.ts";

const bearer = { kind: "header", name: "authorization", prefix: "Bearer " } as const;

function header(value: string): readonly { readonly name: string; readonly value: string }[] {
  return [{ name: "authorization", value }];
}

describe("a token in a header with a prefix", () => {
  it.each([
    ["Bearer a.b.c", ["a.b.c"]],
    ["Bearer   a.b.c", ["a.b.c"]],
    ["Foo Bearer a.b.c", ["a.b.c"]],
    ["Bearer a.b.c trailing", ["a.b.c trailing"]],
    ["Bearer !!!", ["Bearer !!!"]],
    ["bearer a.b.c", []],
    ["Basic dTpw", []],
    ["Bearer", []],
    ["Bearer\ta.b.c", []],
  ])("%j gives %j", (value, tokens) => {
    expect(tokensAt(bearer, header(value), "")).toEqual(tokens);
  });

  it("is the whole value when the rule gives no prefix", () => {
    expect(tokensAt({ kind: "header", name: "authorization", prefix: "" }, header("Bearer a.b.c"), "")).toEqual([
      "Bearer a.b.c",
    ]);
  });

  it("is looked for in every line of that name", () => {
    const lines = [
      { name: "x-t", value: "one" },
      { name: "other", value: "no" },
      { name: "x-t", value: "two" },
    ];
    expect(tokensAt({ kind: "header", name: "x-t", prefix: "" }, lines, "")).toEqual(["one", "two"]);
  });
});

describe("a token in the query", () => {
  const param = { kind: "param", name: "access_token" } as const;
  it.each([
    ["access_token=t", ["t"]],
    ["x=1&access_token=t&y", ["t"]],
    ["access%5Ftoken=%61", ["a"]],
    ["access_token=", [""]],
    ["access_token", [""]],
    ["Access_Token=t", []],
    ["access_token=a&access_token=b", ["a", "b"]],
    ["access_token=%zz", ["%zz"]],
    ["", []],
  ])("%j gives %j", (query, tokens) => {
    expect(tokensAt(param, [], query)).toEqual(tokens);
  });
});

describe("a token in a cookie", () => {
  const cookie = { kind: "cookie", name: "session" } as const;
  it.each([
    ["a=b; session=t", ["t"]],
    ['session="t"', ["t"]],
    ["session=one; session=two", ["one"]],
    ["Session=t", []],
    ["xsession=t", []],
  ])("%j gives %j", (value, tokens) => {
    expect(tokensAt(cookie, [{ name: "cookie", value }], "")).toEqual(tokens);
  });
});

describe("orderedLocations", () => {
  it("gives Istio's default pair when a rule names none", () => {
    expect(orderedLocations([])).toEqual([bearer, { kind: "param", name: "access_token" }]);
  });

  it("puts headers before parameters before cookies, each by name", () => {
    const given = [
      { kind: "cookie", name: "a" },
      { kind: "param", name: "b" },
      { kind: "header", name: "z", prefix: "" },
      { kind: "header", name: "c", prefix: "" },
    ] as const;
    expect(orderedLocations(given).map(({ name }) => name)).toEqual(["c", "z", "b", "a"]);
  });
});

describe("withoutParams", () => {
  it("removes raw pairs by their decoded name and leaves the rest byte for byte", () => {
    expect(withoutParams("b=%26&access%5Ftoken=t&a&access_token=u&b=2", new Set(["access_token"]))).toBe("b=%26&a&b=2");
  });

  it("leaves no pair of that name, whatever the query", () => {
    const piece = fc.constantFrom("t", "%74", "=", "&", "x", "%", "");
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const rest = withoutParams(pieces.join(""), new Set(["t"]));
        expect(tokensAt({ kind: "param", name: "t" }, [], rest)).toEqual([]);
      }),
    );
  });
});
