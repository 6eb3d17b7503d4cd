import { expect, test } from "vitest";
import { toRegex } from "./regex.ts";

test("compiles equal expressions once", () => {
  const regex = toRegex("a+b");
  expect(toRegex("a+b")).toBe(regex);
  expect(toRegex("a+c")).not.toBe(regex);
});

test("says each time that an expression is none", () => {
  for (let i = 0; i < 2; i++) expect(() => toRegex("(")).toThrow("missing closing )");
});
