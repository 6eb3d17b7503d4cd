import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { createRemovals } from "./removals.ts";

it.each([0, 1, 2, 3, 4, 5])("forgets no removal that comes %i steps after another", async (steps) => {
  const removed: string[] = [];
  const reached: string[] = [];
  const removals = createRemovals({
    confirm: () => Promise.resolve(),
    remove: (keys) => void removed.push(...keys),
    outer: new AbortController().signal,
  });
  removals.add("a");
  removals.whenNone(() => reached.push("a"));
  for (let step = 0; step < steps; step += 1) await Promise.resolve();
  removals.add("b");
  removals.whenNone(() => reached.push("b"));
  await nextTurn();
  await removals.settle();
  expect(removed).toEqual(["a", "b"]);
  expect(reached.at(-1)).toBe("b");
  expect(removals.isWaiting()).toBe(false);
});
