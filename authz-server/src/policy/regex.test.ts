import { expect, test } from "vitest";
import { RegexWorkExceeded, toRegex, withinRegexWork } from "./regex.ts";

test("compiles equal expressions once", () => {
  const regex = toRegex("a+b");
  expect(toRegex("a+b")).toBe(regex);
  expect(toRegex("a+c")).not.toBe(regex);
});

test("says each time that an expression is none", () => {
  for (let i = 0; i < 2; i++) expect(() => toRegex("(")).toThrow("missing closing )");
});

test("finds one match after another", () => {
  const found = Array.from(toRegex("a(.)").matchesIn("a1 a2"), (match) => match.group(1));
  expect(found).toEqual(["1", "2"]);
  expect([...toRegex("x*").matchesIn("ab")]).toHaveLength(3);
});

test("ends what takes too long for one request, and not what could have", () => {
  let nowMs = 0;
  const take = (times: number, msEach: number) =>
    withinRegexWork(
      () => nowMs,
      () => {
        for (let i = 0; i < times; i++, nowMs += msEach) toRegex("(a?){1000}b").test("b".repeat(2_000));
      },
    );
  expect(() => take(100, 1)).not.toThrow();
  expect(() => take(100, 10)).toThrow(RegexWorkExceeded);
  expect(() => take(20, 10)).not.toThrow();
});

test("takes no expression and text that could take seconds on their own", () => {
  const within = (run: () => unknown) => withinRegexWork(() => 0, run);
  expect(() => within(() => toRegex("(a?){1000}b").test("b".repeat(20_000)))).toThrow(RegexWorkExceeded);
  expect(() => within(() => [...toRegex("(a?){1000}b").matchesIn("b".repeat(20_000))])).toThrow(RegexWorkExceeded);
  expect(toRegex("(a?){1000}b").test("b".repeat(20_000))).toBe(false);
});
