import { Registry } from "prom-client";
import { expect, test } from "vitest";
import type { KeySourceHealth } from "../jwks/refresher.ts";
import { registerObservedGauges } from "./observed-gauges.ts";

function source(keySet: string, ageMs: number | null): KeySourceHealth {
  const known = { issuer: "i", uri: "", state: "ready" as const, skipped: [], lastSuccessMs: null, lastFailure: null };
  return { ...known, keySet, keys: 1, ageMs, nextRefreshMs: 0 };
}

async function ages(sources: readonly KeySourceHealth[]): Promise<readonly string[]> {
  const registry = new Registry();
  registerObservedGauges(registry, {
    problems: () => 0,
    objectCounts: () => [],
    connected: () => 0,
    keySources: () => sources,
    certificates: () => [],
    kinds: () => [],
  });
  const lines = (await registry.metrics()).split("\n");
  return lines.filter((line) => /_key_sets |_key_set_age_seconds\{/.test(line) && !line.startsWith("#"));
}

test("shows each key set", async () => {
  expect(await ages([source("a", 2000), source("b", null)])).toEqual([
    "gatehouse_controller_key_sets 2",
    'gatehouse_controller_key_set_age_seconds{key_set="a"} 2',
    'gatehouse_controller_key_set_age_seconds{key_set="b"} -1',
  ]);
});

test("shows of very many key sets the thousand that were fetched longest ago, or never", async () => {
  const many = Array.from({ length: 5000 }, (_, i) => source(`k${i}`, i * 1000));
  const [count, ...shown] = await ages([...many, source("never", null)]);
  expect(count).toBe("gatehouse_controller_key_sets 5001");
  expect(shown).toHaveLength(1000);
  expect(shown[0]).toBe('gatehouse_controller_key_set_age_seconds{key_set="never"} -1');
  expect(shown.at(-1)).toBe('gatehouse_controller_key_set_age_seconds{key_set="k4001"} 4001');
});
