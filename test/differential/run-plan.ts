import { runBatch } from "./batch.ts";
import { batchesOf, makeSets, type Plan } from "./plan.ts";
import type { Difference } from "./policy-set.ts";
import { shrink } from "./shrink.ts";
import { toCase } from "./to-case.ts";

/** Differences that are shrunk and printed; more of them seldom say more. */
const MAX_SHOWN = 5;

/**
 * Runs a plan and prints one line with the result, after the smallest form of the first differences as conformance cases.
 * @param only names of sets; omitted: all
 * @returns whether all answers were equal
 */
export async function runPlan(
  plan: Plan,
  print: (text: string) => void,
  only: readonly string[] | undefined,
): Promise<boolean> {
  let differing = 0;
  let requests = 0;
  let shown = 0;
  for (const batch of batchesOf(plan)) {
    const sets = makeSets(batch).filter(({ name }) => only?.includes(name) ?? true);
    if (sets.length === 0) continue;
    const differences = await runBatch(sets, batch.mesh);
    requests += sets.reduce((sum, set) => sum + set.requests.length, 0);
    differing += differences.flat().length;
    const firstOfSets = differences.flatMap(([first]) => (first === undefined ? [] : [first]));
    for (const difference of firstOfSets.slice(0, MAX_SHOWN - shown)) {
      shown += 1;
      print(await describeDifference(difference));
    }
  }
  print(summary(plan, requests, differing));
  return differing === 0;
}

/** `differential: 10000/10000 equal (seed N, 200 policy sets)` */
export function summary({ seed, policySets }: Plan, requests: number, differing: number): string {
  return `differential: ${requests - differing}/${requests} equal (seed ${seed}, ${policySets} policy sets)`;
}

/** The smallest form of a difference: what Gatehouse answered, and a case with what the oracle answered. */
export async function describeDifference(difference: Difference): Promise<string> {
  const smallest = await shrink(difference);
  const answer = JSON.stringify(smallest.gatehouse);
  return `# policy set ${difference.set.name}\n# Gatehouse answered ${answer}\n${toCase(smallest)}`;
}
