import { expect, test } from "vitest";
import { toWorkers } from "./worker-entry.ts";

test.each([
  { cpus: 8, memoryMiB: 64_000, isLimited: false, workers: 8 },
  { cpus: 1, memoryMiB: 64_000, isLimited: false, workers: 1 },
  { cpus: 64, memoryMiB: 512, isLimited: true, workers: 1 },
  { cpus: 64, memoryMiB: 1024, isLimited: true, workers: 2 },
  { cpus: 2, memoryMiB: 128, isLimited: true, workers: 1 },
])("there are $workers workers for $cpus CPUs and $memoryMiB MiB", ({ workers, ...machine }) => {
  expect(toWorkers(null, "info", machine)?.count ?? 1).toBe(workers);
});

test("a number that was asked for is taken as it is, and one is this process itself", () => {
  const machine = { cpus: 1, memoryMiB: 512, isLimited: true };
  expect(toWorkers(4, "info", machine)?.count).toBe(4);
  expect(toWorkers(1, "info", { ...machine, cpus: 64, memoryMiB: 64_000 })).toBeNull();
});

test("the heaps of all processes together fit into a limit of memory, and are not limited without one", () => {
  expect(toWorkers(3, "info", { cpus: 4, memoryMiB: 2048, isLimited: true })?.execArgv).toContain(
    "--max-old-space-size=384",
  );
  expect(toWorkers(3, "info", { cpus: 4, memoryMiB: 2048, isLimited: false })?.execArgv.join()).not.toContain(
    "old-space",
  );
});
