import type { PolicyTarget, TargetRef } from "@gatehouse/protos";
import type { Workload } from "./workload.ts";

/** The label by which a Gateway API implementation names the Gateway that a workload serves. */
export const GATEWAY_NAME_LABEL = "gateway.networking.k8s.io/gateway-name";

/**
 * Whether a policy of a namespace that counts for the workload (its own, or the root namespace) applies to it.
 * @param policyNamespace a targetRef reaches the Gateway of its own namespace only
 */
export function targets(target: PolicyTarget, policyNamespace: string, workload: Workload): boolean {
  switch (target.kind) {
    case "namespace":
      return true;
    case "selector":
      return target.matchLabels.every(({ name, value }) => workload.labels.get(name) === value);
    case "targetRefs":
      // A workload that no Gateway API implementation manages has no such label: targetRefs never reach it, as in Istio.
      return policyNamespace === workload.namespace && target.refs.some((ref) => isGatewayOf(ref, workload));
  }
}

function isGatewayOf(ref: TargetRef, workload: Workload): boolean {
  return (
    ref.group === "gateway.networking.k8s.io" &&
    ref.kind === "Gateway" &&
    ref.name === workload.labels.get(GATEWAY_NAME_LABEL) &&
    (ref.namespace === "" || ref.namespace === workload.namespace)
  );
}
