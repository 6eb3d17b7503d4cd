import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { threadCpuMicroseconds } from "./thread-cpu.ts";
import { startTurnMeter } from "./turn-meter.ts";

test("tells the longest turn since it was asked last, by CPU time and by the clock", async () => {
  const meter = startTurnMeter();
  await sleep(10);
  const endMs = performance.now() + 60;
  const before = threadCpuMicroseconds();
  while (performance.now() < endMs); // a turn that is too long
  const turnMicroseconds = threadCpuMicroseconds() - before;
  await sleep(10);
  const turn = meter.take();
  expect(turn.cpuMs).toBeGreaterThanOrEqual(turnMicroseconds / 1000);
  expect(turn.wallMs).toBeGreaterThanOrEqual(60);
  expect(meter.take()).toEqual({ cpuMs: 0, wallMs: 0 });
});
