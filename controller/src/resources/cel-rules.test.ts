import { expect, it } from "vitest";
import { celRule } from "./cel-rules.ts";

it.each([
  ["1ms", true],
  ["1.5h", true],
  ["1m30s", true],
  [".5s", true],
  ["1000us", true],
  ["1000µs", true],
  ["999us", false],
  ["0s", false],
  ["-5s", false],
  ["5", false],
  ["5 s", false],
  ["", false],
  ["1d", false],
])("takes %j for a duration of at least 1ms: %s", (text, isLongEnough) => {
  expect(celRule("duration(self) >= duration('1ms')")(text)).toBe(isLongEnough);
});

it("says which rule has no function", () => {
  expect(() => celRule("self.size() > 7")).toThrow("self.size() > 7");
});
