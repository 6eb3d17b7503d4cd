import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AgeLimit } from "./age-limit.ts";

let limit: AgeLimit;
let times: number;
let losses: number;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  times = 0;
  losses = 0;
  const monotonicMs = () => performance.now();
  limit = new AgeLimit({ maxAgeMs: 10_000, monotonicMs, onTooOld: () => times++, onLost: () => losses++ });
});

afterEach(() => {
  limit.stop();
  vi.useRealTimers();
});

test("counts from the moment when the controller was lost", () => {
  limit.connected(true);
  limit.confirmed(0);
  vi.advanceTimersByTime(100_000);
  limit.connected(false);
  limit.connected(false);
  vi.advanceTimersByTime(9_999);
  expect([limit.isTooOld, times]).toEqual([false, 0]);
  vi.advanceTimersByTime(1);
  expect([limit.isTooOld, times]).toEqual([true, 1]);
  limit.connected(false);
  expect(losses).toBe(2); // twice in the same millisecond, as the age is 0; not when it has grown
});

test("is not met again by a controller that is there but says nothing, and ends with its word", () => {
  limit.confirmed(10_000);
  expect([limit.isTooOld, times]).toEqual([true, 1]);
  limit.connected(true);
  vi.advanceTimersByTime(1_000);
  expect([limit.isTooOld, times]).toEqual([true, 1]);
  limit.confirmed(0);
  expect(limit.isTooOld).toBe(false);
});

test("counts from a refused change on, whatever is on the stream", () => {
  limit.connected(true);
  limit.confirmed(0);
  limit.refused();
  vi.advanceTimersByTime(10_000);
  expect(limit.isTooOld).toBe(true);
});

test("counts what has passed before the start, but no time to come", () => {
  limit.confirmed(4_000);
  vi.advanceTimersByTime(6_000);
  expect(limit.isTooOld).toBe(true);
  limit.confirmed(-1_000_000); // the wall clock went back between two starts
  vi.advanceTimersByTime(9_999);
  expect(limit.isTooOld).toBe(false);
  vi.advanceTimersByTime(1);
  expect(limit.isTooOld).toBe(true);
});

test("waits for ages that no timer can hold", () => {
  const years = 2 ** 33;
  let isOver = false;
  const long = new AgeLimit({
    maxAgeMs: years,
    monotonicMs: () => performance.now(),
    onTooOld() {
      isOver = true;
    },
    onLost() {},
  });
  long.confirmed(0);
  vi.advanceTimersByTime(years - 1);
  expect(isOver).toBe(false);
  vi.advanceTimersByTime(1);
  expect(isOver).toBe(true);
});
