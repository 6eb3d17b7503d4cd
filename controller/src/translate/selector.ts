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
 * A selector or reference that can't be right would select nothing and thereby switch the policy off, so it stands for the whole namespace.
 */
export function translateTarget(spec: TargetSpec, findings: Findings): TranslatedTarget {
  const { refs, unenforceable } = readTargetRefs(spec, findings);
  const selected = readSelector(spec, findings);
  if (refs.length === 0) return selected;
  if (spec.selector != null || (spec.targetRef != null && (spec.targetRefs?.length ?? 0) > 0)) {
    findings.invalid("spec", AMBIGUOUS);
    return { target: selected.target, unenforceable: AMBIGUOUS };
  }
  if (unenforceable !== "") return { target: WHOLE_NAMESPACE, unenforceable };
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

interface TranslatedRefs {
  readonly refs: readonly TargetRef[];
  /** Why one of them selects nothing; empty: none does. */
  readonly unenforceable: string;
}

function readTargetRefs(spec: TargetSpec, findings: Findings): TranslatedRefs {
  const plural = spec.targetRefs ?? [];
  const singular = plural.length > 0 || spec.targetRef == null ? [] : [spec.targetRef];
  const written = [
    ...plural.map((ref, i) => ({ ref, path: `spec.targetRefs[${i}]` })),
    ...singular.map((ref) => ({ ref, path: "spec.targetRef" })),
  ];
  const [unenforceable = ""] = written.flatMap(({ ref, path }) => checkTargetRef(ref, path, findings));
  return { refs: written.map(({ ref }) => toTargetRef(ref)), unenforceable };
}

function toTargetRef({ group = "", kind, name, namespace = "" }: PolicyTargetReference): TargetRef {
  return { group, kind, name, namespace };
}

const GATEWAY = "gateway.networking.k8s.io/Gateway";
const WAYPOINT_KINDS = ["gateway.networking.k8s.io/GatewayClass", "/Service", "networking.istio.io/ServiceEntry"];

/** @returns why it selects nothing, whatever there is */
function checkTargetRef(ref: PolicyTargetReference, path: string, findings: Findings): readonly string[] {
  const messages: string[] = [];
  const refuse = (field: string, message: string) => {
    findings.invalid(`${path}.${field}`, message);
    messages.push(message);
  };
  if (ref.name === "") refuse("name", "targetRef name must be set");
  if (ref.namespace) {
    refuse("namespace", "targetRef namespace must not be set; cross namespace referencing is not supported");
  }
  const kind = `${ref.group === "core" ? "" : (ref.group ?? "")}/${ref.kind}`;
  if (WAYPOINT_KINDS.includes(kind)) {
    const message = `a targetRef to ${kind} is for waypoints, which do not exist here: it selects no workload`;
    findings.unsupported(path, message);
  } else if (kind !== GATEWAY) {
    const known = [GATEWAY, ...WAYPOINT_KINDS].join(" ");
    refuse("kind", `targetRef must be to one of [${known}] but was ${kind}`);
  }
  return messages;
}
