import type { PolicyTarget, TargetRef } from "@gatehouse/protos";
import type { AuthorizationPolicySpec, PolicyTargetReference } from "../resources/gen/types.ts";
import type { Findings } from "./report.ts";

/** The part of a policy's spec that says which workloads it is for. */
export type TargetSpec = Pick<AuthorizationPolicySpec, "selector" | "targetRef" | "targetRefs">;

/** Which workloads a policy is for; a non-empty `unenforceable` says that it can't be told exactly, and why. */
export interface TranslatedTarget {
  readonly target: PolicyTarget;
  readonly unenforceable: string;
}

const WHOLE_NAMESPACE: PolicyTarget = { kind: "namespace" };
const AMBIGUOUS = "only one of targetRefs or workloadSelector can be set";

/**
 * Translates `selector`, `targetRef` and `targetRefs`. The singular `targetRef` counts only if `targetRefs` is empty.
 * A selector that can't be right would select nothing and thereby switch the policy off, so it stands for the whole namespace.
 */
export function translateTarget(spec: TargetSpec, findings: Findings): TranslatedTarget {
  const refs = readTargetRefs(spec, findings);
  const selected = readSelector(spec, findings);
  if (refs.length === 0) return selected;
  if (spec.selector != null || (spec.targetRef != null && (spec.targetRefs?.length ?? 0) > 0)) {
    findings.invalid("spec", AMBIGUOUS);
    return { target: selected.target, unenforceable: AMBIGUOUS };
  }
  return { target: { kind: "targetRefs", refs }, unenforceable: "" };
}

function readSelector(spec: TargetSpec, findings: Findings): TranslatedTarget {
  if (spec.selector == null) return { target: WHOLE_NAMESPACE, unenforceable: "" };
  const labels = Object.entries(spec.selector.matchLabels ?? {});
  if (labels.length === 0) {
    findings.warn("spec.selector", "workload selector specified without labels");
    return { target: WHOLE_NAMESPACE, unenforceable: "" };
  }
  const messages = labels.flatMap(([name, value]) => checkLabel(name, value, findings));
  const [unenforceable] = messages;
  if (unenforceable !== undefined) return { target: WHOLE_NAMESPACE, unenforceable };
  return {
    target: { kind: "selector", matchLabels: labels.map(([name, value]) => ({ name, value })) },
    unenforceable: "",
  };
}

function checkLabel(name: string, value: string, findings: Findings): readonly string[] {
  const messages: string[] = [];
  if (name === "") messages.push(`empty key is not supported in selector: "=${value}"`);
  if (name.includes("*") || value.includes("*")) {
    messages.push(`wildcard is not supported in selector: "${name}=${value}"`);
  }
  for (const message of messages) findings.invalid(`spec.selector.matchLabels[${name}]`, message);
  return messages;
}

function readTargetRefs(spec: TargetSpec, findings: Findings): readonly TargetRef[] {
  const plural = spec.targetRefs ?? [];
  if (plural.length > 0) return plural.map((ref, i) => readTargetRef(ref, `spec.targetRefs[${i}]`, findings));
  return spec.targetRef == null ? [] : [readTargetRef(spec.targetRef, "spec.targetRef", findings)];
}

const GATEWAY = "gateway.networking.k8s.io/Gateway";
const WAYPOINT_KINDS = ["gateway.networking.k8s.io/GatewayClass", "/Service", "networking.istio.io/ServiceEntry"];

function readTargetRef(spec: PolicyTargetReference, path: string, findings: Findings): TargetRef {
  const ref = { group: spec.group ?? "", kind: spec.kind, name: spec.name, namespace: spec.namespace ?? "" };
  if (ref.name === "") findings.invalid(`${path}.name`, "targetRef name must be set");
  if (ref.namespace !== "") {
    const message = "targetRef namespace must not be set; cross namespace referencing is not supported";
    findings.invalid(`${path}.namespace`, message);
  }
  const kind = `${ref.group === "core" ? "" : ref.group}/${ref.kind}`;
  if (WAYPOINT_KINDS.includes(kind)) {
    findings.unsupported(
      path,
      `a targetRef to ${kind} is for waypoints, which do not exist here: it selects no workload`,
    );
  } else if (kind !== GATEWAY) {
    const known = [GATEWAY, ...WAYPOINT_KINDS].join(" ");
    findings.invalid(`${path}.kind`, `targetRef must be to one of [${known}] but was ${kind}`);
  }
  return ref;
}
