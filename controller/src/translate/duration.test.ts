import { expect, test } from "vitest";
import { checkDuration, parseDurationMs } from "./duration.ts";

test.each([
  ["5s", 5000],
  ["1h30m", 5_400_000],
  ["1.5s", 1500],
  [".5s", 500],
  ["10ms", 10],
  ["0", 0],
  ["0s", 0],
  ["-1s", -1000],
])("%s is %i ms", (text, durationMs) => {
  expect(parseDurationMs(text)).toBe(durationMs);
});

test.each(["", "s", "5", "5 s", "1d", "1s5", "--1s", "1.s.", "1e3s"])("%j is no duration", (text) => {
  expect(parseDurationMs(text)).toBeNull();
});

test("what Istio refuses is refused in its words", () => {
  expect(checkDuration("500us")).toBe("duration must be greater than 1ms");
  expect(checkDuration("1500us")).toBe("only durations to ms precision are supported");
  expect(checkDuration("x")).toBe('time: invalid duration "x"');
  expect(checkDuration("1.001s")).toBeNull();
});
