import { beforeEach, expect, it } from "vitest";
import { KeyHints } from "./key-hints.ts";

let nowMs: number;
let told: string[];
let hints: KeyHints;

beforeEach(() => {
  nowMs = 0;
  told = [];
  hints = new KeyHints(() => nowMs, { perKeySetMs: 10_000, burst: 3, perSecond: 0.1 });
  hints.connect((keySet) => void told.push(keySet));
});

it("tells of a key set at once, then not again for a while", () => {
  for (; nowMs < 10_000; nowMs += 10) hints.report("remote-a");
  expect(told).toEqual(["remote-a"]);
  hints.report("remote-a");
  expect(told).toEqual(["remote-a", "remote-a"]);
});

it("tells of many key sets only as often as all of them together may cause", () => {
  for (let i = 0; i < 100; i++) hints.report(`remote-${i}`);
  expect(told).toHaveLength(3);
  nowMs = 20_000;
  for (let i = 0; i < 100; i++) hints.report(`remote-${i}`);
  expect(told).toHaveLength(5);
});

it("does not tell of keys that stand in the policy itself", () => {
  hints.report("inline-a");
  expect(told).toEqual([]);
});

it("forgets what it could not tell, so that the next token tells it", () => {
  hints.connect(null);
  hints.report("remote-a");
  hints.connect((keySet) => void told.push(keySet));
  hints.report("remote-a");
  expect(told).toEqual(["remote-a"]);
});
