import fc from "fast-check";
import { expect, test } from "vitest";
import { compilePaths } from "../../authz-server/src/policy/path-matcher.ts";
import { compileRegex } from "../../authz-server/src/policy/string-matcher.ts";
import { parsePath } from "../../controller/src/translate/path-template.ts";
import { FUZZ_TIMEOUT_MS, fuzz, soup } from "./fuzz.ts";

const template = soup(["/", "{*}", "{**}", "*", "a", "b", "{", "}", ".", "+", "(", "[x]", "|", "%2f", "\\"], 10);
const path = soup(["/", "a", "b", "x", "*", "{*}", "//", "%2f", ".", "+", "\n", "é", "\\"], 14).map(
  (text) => `/${text}`,
);

test(
  "a path pattern never throws, and is no wider for an ALLOW than for a DENY",
  async () => {
    await fuzz(fc.record({ template, path }), ({ template: value, path: given }) => {
      const { value: match } = parsePath(value, "Paths");
      if (match === null) return;
      const narrow = compilePaths([match], false)(given);
      const wide = compilePaths([match], true)(given);
      if (narrow) expect(wide).toBe(true);
      if (match.kind === "exact") expect(narrow).toBe(given === match.value);
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "a template matches as many segments as it names",
  async () => {
    const segments = fc.array(fc.constantFrom("{*}", "a", "b"), { minLength: 1, maxLength: 6 });
    const given = fc.array(fc.constantFrom("a", "b", "c", "x.y", "a*b", ""), { maxLength: 7 });
    await fuzz(fc.record({ segments, given, rest: fc.boolean() }), (input) => {
      const text = `/${[...input.segments, ...(input.rest ? ["{**}"] : [])].join("/")}`;
      const { value: match } = parsePath(text, "Paths");
      if (match === null || match.kind !== "template") return;
      const fits = input.segments.every((segment, i) =>
        segment === "{*}" ? (input.given[i] ?? "") !== "" : segment === input.given[i],
      );
      const isLong = input.rest
        ? input.given.length > input.segments.length
        : input.given.length === input.segments.length;
      expect(compilePaths([match], true)(`/${input.given.join("/")}`)).toBe(fits && isLong);
    });
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "long paths take no long time against templates",
  async () => {
    const many = fc.record({
      template,
      length: fc.nat(4000),
      unit: fc.constantFrom("/a", "/", "a", "/a/b", "%2f", "a*"),
    });
    await fuzz(many, ({ template: value, length, unit }) => {
      const { value: match } = parsePath(value, "Paths");
      if (match !== null) compilePaths([match], true)(`/${unit.repeat(length)}!`);
    });
  },
  FUZZ_TIMEOUT_MS,
);

const regex = soup(
  [
    "a",
    "b",
    "(",
    ")",
    "*",
    "+",
    "?",
    "{2,5}",
    "|",
    ".",
    "[a-c]",
    "[^a]",
    "\\d",
    "\\pL",
    "^",
    "$",
    "(?i)",
    "(?:",
    "\\Q",
    "\\E",
    "\\z",
  ],
  10,
);

test(
  "an expression is refused with a reason or matches in bounded time, the same each time",
  async () => {
    await fuzz(
      fc.record({ regex, text: soup(["a", "b", "aaaaaaaaaa", "1", "\n", "é"], 8) }),
      ({ regex: pattern, text }) => {
        let test: (text: string) => boolean;
        try {
          test = compileRegex(pattern);
        } catch (error) {
          expect(String(error)).toMatch(/^RE2JS\w*Exception/);
          return;
        }
        expect(test(text)).toBe(test(text));
      },
    );
  },
  FUZZ_TIMEOUT_MS,
);
