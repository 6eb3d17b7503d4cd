import fc from "fast-check";
import { RE2JS } from "re2js";
import { expect, test } from "vitest";
import { regexCost } from "./regex-cost.ts";

test.each([
  ["/api/v1", 7],
  ["/users/[^/]+", 9],
  ["x{1000}", 2000],
  ["x{2,}", 6],
  ["(x{10}){100}", 2300],
  ["(?:(ab)c){3}", 24],
  ["(?P<name>a){3}", 12],
  ["\\Qa{1000}\\E", 7],
  ["[[:alpha:]{1000}]", 1],
  ["[]{9}]", 1],
  ["\\x{10ffff}", 1],
  ["\\pL\\p{Greek}", 202],
  ["(?i)[a-z]", 1],
  ["(?i)[a-\u1e00]", 2001],
  ["a{2}(?i){3}", 15],
  ["(".repeat(3), 0],
  [")))", 6],
])("compiling %j costs %i", (regex, cost) => {
  expect(regexCost(regex)).toBe(cost);
});

const piece = fc.constantFrom(
  ...[
    "a",
    "b",
    ".",
    "[a-c]",
    "[^a]",
    "[]a{9}]",
    "\\d",
    "\\pL",
    "\\x{41}",
    "\\.",
    "\\Qx{9}\\E",
    "^",
    "$",
    "|",
    "*",
    "+?",
  ],
  ...["?", "{3}", "{2,}", "{0,20}", "{30}", "{x", "(", "(?:", "(?i)", "(?P<n>", ")", "é"],
);

test("it is never told much lower than the program is large", () => {
  let compiled = 0;
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      const regex = pieces.join("");
      let size: number;
      try {
        size = RE2JS.compile(regex).programSize();
      } catch {
        return; // no regular expression
      }
      compiled++;
      expect(size).toBeLessThanOrEqual(2 * regexCost(regex) + 8);
    }),
    { numRuns: 3000 },
  );
  expect(compiled).toBeGreaterThan(500);
});
