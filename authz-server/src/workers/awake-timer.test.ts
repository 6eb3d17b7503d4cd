import { expect, test } from "vitest";
import { afterAwake } from "./awake-timer.ts";

test("a stop of the whole process does not count as time in which others could have answered", async () => {
  const firedAfterMs = await new Promise<number>((resolve) => {
    let awokeAtMs = 0;
    afterAwake(200, () => resolve(performance.now() - awokeAtMs));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    awokeAtMs = performance.now();
  });
  expect(firedAfterMs).toBeGreaterThan(150);
});

test("calls back once, and not at all when it was ended", async () => {
  let calls = 0;
  const end = afterAwake(10, () => {
    calls += 100;
  });
  end();
  await new Promise<void>((resolve) => {
    afterAwake(20, () => {
      calls += 1;
      setTimeout(resolve, 20);
    });
  });
  expect(calls).toBe(1);
});
