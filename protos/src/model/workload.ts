import type { Labels } from "./resource.ts";

/**
 * Who stands behind an address: a pod. No policy, and not part of the policy set: it has a type of its own in xDS, so that pods that come
 * and go make nobody prepare policy.
 */
export interface Workload {
  readonly kind: "Workload";
  readonly namespace: string;
  /** Of the pod. */
  readonly name: string;
  /** All addresses of the pod, as texts. */
  readonly addresses: readonly string[];
  readonly labels: Labels;
  readonly serviceAccount: string;
}

/** The xDS resource name of a workload. */
export function workloadResourceName({ namespace, name }: Pick<Workload, "namespace" | "name">): string {
  return `Workload/${namespace}/${name}`;
}
