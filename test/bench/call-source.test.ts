import { expect, it } from "vitest";
import { CallSource } from "./call-source.ts";

it("gives all calls at once when no rate is asked for, each due when it is taken", () => {
  const source = new CallSource({ calls: 2 });
  const nowMs = performance.now();
  expect([source.isDue(nowMs), source.take(nowMs), source.take(nowMs)]).toEqual([true, nowMs, nowMs]);
  expect([source.isDue(nowMs), source.isEmpty]).toEqual([false, true]);
});

it("gives calls at the rate that is asked for, and counts the time that they wait for a place", () => {
  const source = new CallSource({ calls: 5000, perSecond: 1000 });
  const startedMs = performance.now();
  const inOneSecond = takeAllDue(source, startedMs + 1000);
  expect(inOneSecond.length).toBeGreaterThan(900);
  expect(inOneSecond.length).toBeLessThan(1100);
  expect(Math.max(...inOneSecond)).toBeLessThanOrEqual(startedMs + 1000);
  expect(inOneSecond).toEqual(inOneSecond.toSorted((a, b) => a - b));
});

it("has the same arrivals for all loads of a rate", () => {
  const gaps = [1, 2].map(() => {
    const due = takeAllDue(new CallSource({ calls: 20, perSecond: 1000 }), performance.now() + 1000);
    return due.map((ms) => Math.round((ms - (due[0] ?? 0)) * 1000));
  });
  expect(gaps[0]).toHaveLength(20);
  expect(gaps[0]).toEqual(gaps[1]);
});

it("makes no call any more when it is ended early", () => {
  const ending = new AbortController();
  const source = new CallSource({ calls: 2, signal: ending.signal });
  source.take(performance.now());
  ending.abort();
  expect(source.isDue(Number.POSITIVE_INFINITY)).toBe(false);
  expect(source.isEmpty).toBe(true);
});

it("sorts latencies, and knows which sizes of answers there were", () => {
  const source = new CallSource({ calls: 3 });
  for (const [sinceMs, nowMs, answerBytes] of [
    [0, 5, 10],
    [0, 1, 20],
    [0, 3, 10],
  ] as const)
    source.answered(sinceMs, nowMs, answerBytes);
  expect([...source.latenciesMs()]).toEqual([1, 3, 5]);
  expect(source.answerSizes()).toEqual([10, 20]);
});

function takeAllDue(source: CallSource, nowMs: number): readonly number[] {
  const due: number[] = [];
  while (source.isDue(nowMs)) due.push(source.take(nowMs));
  return due;
}
