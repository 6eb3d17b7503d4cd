import type { PolicyRef } from "@gatehouse/protos";

/** A rule as Istio names it in Envoy's logs and statistics. @param index position in spec.rules */
export function ruleName(ref: PolicyRef, index: number): string {
  return `ns[${ref.namespace}]-policy[${ref.name}]-rule[${index}]`;
}
