import { expect, it } from "vitest";
import { hostReadings } from "./host-readings.ts";

it.each([
  ["a.com", ["a.com"]],
  ["a.com:80", ["a.com:80", "a.com"]],
  ["a.com.", ["a.com.", "a.com"]],
  ["a.com..:80", ["a.com..:80", "a.com..", "a.com", "a.com:80"]],
  ["[::1]:80", ["[::1]:80", "[::1]"]],
  ["[::1", ["[::1"]],
  ["...", ["...", ""]],
  ["", [""]],
])("%j may be read as %j", (host, expected) => {
  expect(hostReadings(host)).toEqual(expected);
});

it.each([
  [".", "a"],
  [":", "a"],
  [":1", "a"],
  ["1", ":1"],
])("a host of very many %j takes no longer than its length", (part, end) => {
  const startedMs = performance.now();
  hostReadings(part.repeat(100_000) + end);
  expect(performance.now() - startedMs).toBeLessThan(500);
});
