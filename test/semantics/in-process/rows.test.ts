import { describe, expect, it } from "vitest";
import { observe, policyOf } from "../../conformance/in-process.ts";
import { differencesOf } from "../check-row.ts";
import { type LoadedRow, loadRows, rowFiles } from "../load-rows.ts";

describe.each(await filesWithRows())("$name", ({ rows }) => {
  it.each(rows)("$row.id $row.says", async (row) => {
    expect(await run(row)).toEqual([]);
  });
});

async function filesWithRows(): Promise<readonly { readonly name: string; readonly rows: readonly LoadedRow[] }[]> {
  return Promise.all(rowFiles().map(async (name) => ({ name, rows: await loadRows(name) })));
}

/** With the objects in either order: only their age counts. */
async function run(row: LoadedRow): Promise<readonly string[]> {
  const { scenario } = row;
  const reversed = { ...scenario, resources: scenario.resources.toReversed() };
  return [...(await runOnce(row)), ...(await runOnce({ ...row, scenario: reversed }))];
}

async function runOnce({ scenario, exchanges }: LoadedRow): Promise<readonly string[]> {
  const policy = await policyOf(scenario);
  return exchanges.flatMap(({ send, request }) => {
    const { observation, dryRun } = observe(scenario, request, policy);
    const shadow = send.dryRun === undefined || send.dryRun === dryRun.join() ? [] : [`dry run: ${dryRun.join()}`];
    return [...differencesOf(send, observation), ...shadow];
  });
}
