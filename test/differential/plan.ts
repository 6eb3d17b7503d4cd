import { makePolicySet } from "./generate/policy-set.ts";
import type { MeshVariant, PolicySet } from "./policy-set.ts";

/** How much is compared, and from which seed. */
export interface Plan {
  readonly seed: string;
  readonly requests: number;
  readonly policySets: number;
}

/** Sets that share an Envoy, a Gatehouse and a MeshConfig. */
export interface Batch {
  readonly mesh: MeshVariant;
  readonly names: readonly string[];
  readonly requestsPerSet: number;
}

/** What is run at every change. */
export const DEFAULT_PLAN: Plan = { seed: "1", requests: 10_000, policySets: 200 };

const SETS_PER_BATCH = 50;

const MESHES: readonly MeshVariant[] = [
  { pathNormalization: "BASE", numTrustedProxies: 0 },
  { pathNormalization: "MERGE_SLASHES", numTrustedProxies: 1 },
  { pathNormalization: "DECODE_AND_MERGE_SLASHES", numTrustedProxies: 2 },
  { pathNormalization: "NONE", numTrustedProxies: 0 },
];

/** The batches of a plan: the sets take turns in the kinds of mesh. */
export function batchesOf(plan: Plan): readonly Batch[] {
  const requestsPerSet = Math.ceil(plan.requests / plan.policySets);
  const names = Array.from({ length: plan.policySets }, (_, index) => `${plan.seed}/${index}`);
  return Array.from(
    { length: Math.ceil(names.length / SETS_PER_BATCH) },
    (_, index): Batch => ({
      mesh: MESHES[index % MESHES.length] ?? { pathNormalization: "BASE", numTrustedProxies: 0 },
      names: names.slice(index * SETS_PER_BATCH, (index + 1) * SETS_PER_BATCH),
      requestsPerSet,
    }),
  );
}

/** Makes the sets of a batch; their tokens are good from now on for a while. */
export function makeSets({ names, requestsPerSet }: Batch): readonly PolicySet[] {
  const nowSec = Math.floor(Date.now() / 1000);
  return names.map((name) => makePolicySet(name, requestsPerSet, nowSec));
}
