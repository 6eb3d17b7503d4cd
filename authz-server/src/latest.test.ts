import { expect, test } from "vitest";
import { latest } from "./latest.ts";

test("computes once for a text that is asked about again and again", () => {
  const seen: string[] = [];
  const lengthOf = latest((text) => {
    seen.push(text);
    return text.length;
  });
  expect(["", "", "ab", "ab", "a", "ab"].map(lengthOf)).toEqual([0, 0, 2, 2, 1, 2]);
  expect(seen).toEqual(["", "ab", "a", "ab"]);
});
