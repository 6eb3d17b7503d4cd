import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runBatch } from "./batch.ts";
import { DELIBERATE } from "./deliberate.ts";
import { batchesOf, DEFAULT_PLAN, makeSets } from "./plan.ts";
import type { Difference } from "./policy-set.ts";
import { describeDifference, summary } from "./run-plan.ts";

let requests = 0;
let differing = 0;

describe.each(batchesOf(DEFAULT_PLAN))(
  "path normalisation $mesh.pathNormalization, $mesh.numTrustedProxies proxies",
  (batch) => {
    let differences: ReadonlyMap<string, readonly Difference[]> = new Map();

    beforeAll(async () => {
      const sets = makeSets(batch);
      const results = await runBatch(sets, batch.mesh);
      differences = new Map(sets.map(({ name }, index) => [name, results[index] ?? []]));
      requests += sets.reduce((sum, set) => sum + set.requests.length, 0);
      differing += results.flat().length;
    }, 120_000);

    it.each(batch.names)("answers as Envoy's own filters do: policy set %s", { timeout: 120_000 }, async (name) => {
      const found = differences.get(name);
      if (found === undefined) throw new Error(`set ${name} did not run`);
      const [first] = found;
      if (first !== undefined) throw new Error(`${found.length} answers differ\n${await describeDifference(first)}`);
    });
  },
);

afterAll(() => {
  process.stdout.write(`${summary(DEFAULT_PLAN, requests, differing)}\n`);
});

describe("deliberate differences", () => {
  const rows = readFileSync(new URL("../../docs/differences.md", import.meta.url), "utf8");

  it.each(DELIBERATE.map(({ row }) => row))("has a row in docs/differences.md: %s", (row) => {
    expect(rows).toContain(`| \`${row}\` |`);
  });
});
