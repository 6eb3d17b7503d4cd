import type { BenchEffort } from "./bench.ts";
import { type FlatCost, measureFlatCost } from "./flat-cost.ts";
import { SHAPES, WORST_CASES } from "./flat-cost-shapes.ts";
import type { ResultGroup, ResultRow } from "./results.ts";

/** What a decision costs in process under few policies and under many, by what these are told apart. */
export async function measureDecisions({ rounds, inProcessChecks }: BenchEffort): Promise<ResultGroup> {
  const costs = [
    ...(await measureFlatCost(SHAPES, { rounds, checks: inProcessChecks })),
    ...(await measureFlatCost(WORST_CASES, { rounds, checks: inProcessChecks / 20 })),
  ];
  return {
    title: "The decision alone, without a transport, by what the policies are told apart",
    rows: costs.flatMap(toRows),
  };
}

function toRows({ shape, few, many, fewMicroseconds, manyMicroseconds, ratio }: FlatCost): readonly ResultRow[] {
  const row = (count: number, cpu: number) => ({
    ...{ id: `decision-${shape}-${count}`, name: `${shape}: ${count.toLocaleString("en")}`, cpu: [cpu] },
    ...{ perSecond: null, latency: null, isAdded: false },
  });
  const first = row(few, fewMicroseconds);
  return [
    { ...first, ratio: null },
    { ...row(many, manyMicroseconds), ratio: { value: ratio, by: "cost", id: first.id } },
  ];
}
