import { setImmediate as turn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test, vi } from "vitest";
import { Shared } from "./shared.ts";

test("is compiled once for equal keys, however many others there are", () => {
  const shared = new Shared<{ readonly of: string }>();
  const compile = vi.fn((key: string) => ({ of: key }));
  const keys = Array.from({ length: 20_000 }, (_, i) => `key ${i}`);
  const all = () => keys.map((key) => shared.get(key, () => compile(key)));
  const first = all();
  const second = all();
  expect(compile).toHaveBeenCalledTimes(keys.length);
  expect(second.every((one, i) => one === first[i])).toBe(true);
});

test("is forgotten when nobody holds it", async () => {
  const shared = new Shared<{ readonly of: number }>();
  const held = shared.get("held", () => ({ of: -1 }));
  for (let i = 0; i < 10_000; i++) shared.get(`key ${i}`, () => ({ of: i }));
  expect(shared.size).toBe(10_001);
  await vi.waitFor(async () => {
    collectGarbage();
    await turn();
    expect(shared.size).toBe(1);
  });
  expect(shared.get("held", () => ({ of: 0 }))).toBe(held);
});

test("a long description is not kept", () => {
  const shared = new Shared<object>();
  shared.get("k".repeat(2000), () => ({}));
  expect(shared.size).toBe(0);
});

/** Node's own, which is there only on demand. */
function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
