import type { BenchEffort, MemoryResult } from "./bench.ts";
import { measureFlatCost } from "./flat-cost.ts";
import { SHAPES, WORST_CASES } from "./flat-cost-shapes.ts";
import { measureMemory } from "./memory.ts";
import type { ResultGroup, ResultRow } from "./results.ts";
import { measureFlood } from "./unknown-keys.ts";

/** What has a measurement of its own: a flood of unknown keys, the decision alone under many policies, memory. */
export async function measureExtras(
  effort: BenchEffort,
  log: (line: string) => void,
): Promise<{ readonly groups: readonly ResultGroup[]; readonly memory: MemoryResult }> {
  log("A flood of unknown keys");
  const flood = await floodGroup(effort);
  log("The decision alone");
  const decision = await decisionGroup(effort);
  log("Memory");
  const policies = 10_000;
  const { tokens } = effort;
  const memory = { policies, tokens, ...(await measureMemory(policies, tokens)) };
  return { groups: [flood, decision], memory };
}

async function floodGroup({ rounds, loadMs }: BenchEffort): Promise<ResultGroup> {
  const flood = await measureFlood({ rounds, calls: Math.ceil(loadMs * 40) });
  const { goodMicroseconds: good, floodMicroseconds: bad } = flood;
  return {
    title: "A flood of tokens with random key ids, beside good traffic on the same server",
    rows: [
      plain({ id: "flood-good", name: "a check of the good traffic", cpu: good }),
      plain({ id: "flood-bad", name: "a check of the flood", cpu: bad, few: { id: "flood-good", cpu: good } }),
    ],
  };
}

async function decisionGroup({ rounds, inProcessChecks }: BenchEffort): Promise<ResultGroup> {
  const costs = await measureFlatCost([...SHAPES, ...WORST_CASES], { rounds, checks: inProcessChecks });
  const rows = costs.flatMap(({ shape, few, many, fewMicroseconds, manyMicroseconds }) => {
    const name = (count: number): string => `${shape}: ${count.toLocaleString("en")}`;
    const first = plain({ id: `${shape}-few`, name: name(few), cpu: fewMicroseconds });
    return [first, plain({ id: `${shape}-many`, name: name(many), cpu: manyMicroseconds, few: first })];
  });
  return { title: "The decision alone, without a transport, by what the policies are told apart", rows };
}

interface PlainRow {
  readonly id: string;
  readonly name: string;
  readonly cpu: number;
  readonly few?: { readonly id: string; readonly cpu: number | readonly number[] };
}

function plain({ id, name, cpu, few }: PlainRow): ResultRow {
  const ratio = few === undefined ? null : { value: cpu / Number(few.cpu), by: "cost" as const, id: few.id };
  return { id, name, perSecond: null, cpu: [cpu], ratio, latency: null, isAdded: false };
}
