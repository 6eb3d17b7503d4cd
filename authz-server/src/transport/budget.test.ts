import { expect, test } from "vitest";
import { Budget } from "./budget.ts";

const ALLOWANCE = { burst: 3, perSecond: 1, perCall: 2 };

test("a budget allows its burst, and then what time brings", () => {
  const budget = new Budget(ALLOWANCE, 0);
  expect([0, 0, 0, 0].map((nowMs) => budget.take(nowMs))).toEqual([true, true, true, false]);
  expect(budget.take(2000)).toBe(true);
  expect(budget.take(2000)).toBe(false);
});

test("answered calls earn more, up to the burst", () => {
  const budget = new Budget(ALLOWANCE, 0);
  for (let call = 0; call < 10; call += 1) budget.earn();
  expect([0, 0, 0, 0].map((nowMs) => budget.take(nowMs))).toEqual([true, true, true, false]);
  const other = new Budget(ALLOWANCE, 0);
  for (let taken = 0; taken < 3; taken += 1) other.take(0);
  other.earn();
  expect([other.take(0), other.take(0), other.take(0)]).toEqual([true, true, false]);
});
