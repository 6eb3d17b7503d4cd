import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { byMeshConfig, type ConformanceStack, startConformanceStack } from "../../conformance/conformance-stack.ts";
import { differencesOf } from "../check-row.ts";
import { type LoadedRow, loadRows, rowFiles } from "../load-rows.ts";

const rows = (await Promise.all(rowFiles().map(loadRows))).flat().filter(({ row }) => row.envoy === true);

describe.each(byMeshConfig(rows.map(({ scenario }) => scenario)))("rows through a real Envoy", (...sharing) => {
  let stack: ConformanceStack;
  beforeAll(async () => {
    stack = await startConformanceStack(sharing);
  });
  afterAll(() => stack?.stop());

  const here = rows.filter(({ scenario }) => sharing.includes(scenario));
  it.each(here.map((loaded) => ({ ...loaded.row, loaded })))("$id $says", async ({ loaded }) => {
    expect(await run(stack, loaded)).toEqual([]);
  });
});

async function run(stack: ConformanceStack, { scenario, exchanges }: LoadedRow): Promise<readonly string[]> {
  await stack.enter(scenario);
  const differences: string[] = [];
  for (const { send, request } of exchanges) {
    differences.push(...differencesOf(send, await stack.send(scenario, request)));
  }
  return differences;
}
