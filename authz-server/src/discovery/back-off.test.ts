import { expect, test } from "vitest";
import { backOffMs, DEFAULT_BACK_OFF } from "./back-off.ts";

test("starts between 50 and 100 ms and doubles", () => {
  expect(backOffMs(DEFAULT_BACK_OFF, 1, 0)).toBe(50);
  expect(backOffMs(DEFAULT_BACK_OFF, 1, 1)).toBe(100);
  expect(backOffMs(DEFAULT_BACK_OFF, 4, 1)).toBe(800);
});

test("never waits longer than the cap, after any number of failures", () => {
  for (const failures of [9, 10, 100, 100_000])
    expect(backOffMs(DEFAULT_BACK_OFF, failures, 1)).toBeLessThanOrEqual(30_000);
});
