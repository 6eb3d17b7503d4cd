import { expect, it } from "vitest";
import { WriteQueue } from "./write-queue.ts";

const key = (name: string | number) => `Gateway/foo/${name}` as const;
const NO_PAUSE = { isPause: false, retryAfterMs: null, maxBackOffMs: 2_000 };

/** Takes and finishes what may be written within a time, looking every 10 ms. */
function drain(queue: WriteQueue, fromMs: number, forMs: number, onTaken: (name: string) => void): void {
  for (let nowMs = fromMs; nowMs < fromMs + forMs; nowMs += 10) {
    for (let taken = queue.take(nowMs); taken !== null; taken = queue.take(nowMs)) {
      queue.done(taken, nowMs);
      onTaken(taken);
    }
  }
}

it("lets an object that changes 100 times a second take nothing from the others (R26)", () => {
  const queue = new WriteQueue(0, () => 0);
  const written = new Map<string, number>();
  for (let name = 0; name < 200; name++) queue.add(key(name), false);
  for (let nowMs = 0; nowMs < 10_000; nowMs += 10) {
    queue.add(key("flapping"), false);
    drain(queue, nowMs, 10, (name) => written.set(name, (written.get(name) ?? 0) + 1));
  }
  expect(written.get(key("flapping"))).toBeLessThanOrEqual(20);
  expect([...written.values()].filter((count) => count === 1)).toHaveLength(200);
});

it("writes at most 50 a second after a burst of 100", () => {
  const queue = new WriteQueue(0, () => 0);
  for (let name = 0; name < 1_000; name++) queue.add(key(name), false);
  let written = 0;
  drain(queue, 0, 2_000, () => {
    written += 1;
  });
  expect(written).toBeGreaterThanOrEqual(195);
  expect(written).toBeLessThanOrEqual(200);
});

it("writes what is minor after all else, and leaves room for news", () => {
  const queue = new WriteQueue(0, () => 0);
  const order: string[] = [];
  for (let name = 0; name < 200; name++) queue.add(key(name), true);
  queue.add(key("news"), false);
  drain(queue, 0, 10, (name) => order.push(name));
  expect(order[0]).toBe(key("news"));
  expect(order).toHaveLength(80);
  queue.add(key("more news"), false);
  expect(queue.take(10)).toBe(key("more news"));
});

it("backs off from one object after a failure, doubling, and from all while the API server is overloaded", () => {
  const queue = new WriteQueue(0, () => 1);
  queue.add(key("bad"), false);
  expect(queue.take(0)).toBe(key("bad"));
  queue.failed(key("bad"), 0, NO_PAUSE);
  queue.add(key("bad"), false);
  queue.add(key("good"), false);
  expect(queue.take(499)).toBe(key("good"));
  expect(queue.take(499)).toBeNull();
  expect(queue.take(500)).toBe(key("bad"));
  queue.failed(key("bad"), 500, { ...NO_PAUSE, isPause: true, retryAfterMs: 3_000 });
  queue.add(key("other"), false);
  expect(queue.take(3_499)).toBeNull();
  expect(queue.take(3_500)).toBe(key("other"));
});

it("never has two writes of one object under way", () => {
  const queue = new WriteQueue(0, () => 0);
  queue.add(key("a"), false);
  expect(queue.take(0)).toBe(key("a"));
  queue.add(key("a"), false);
  expect(queue.take(0)).toBeNull();
  queue.done(key("a"), 0);
  expect(queue.take(0)).toBe(key("a"));
});
