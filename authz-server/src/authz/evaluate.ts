import type { PolicyRef } from "@gatehouse/protos";
import type { WorkloadRules } from "../policy/workload-rules.ts";
import type { RequestAttributes } from "./attributes.ts";

/** The rules that apply to one workload, merged per action. Within an action they are OR-ed; order says which of them is named. */
export interface ActionRules {
  readonly deny: WorkloadRules;
  /** null when no ALLOW policy applies at all: then everything is allowed. */
  readonly allow: WorkloadRules | null;
}

export type Verdict = { readonly kind: "allowed" } | Denied;

export interface Denied {
  readonly kind: "denied";
  readonly reason: "deny_policy" | "no_allow_policy";
  /** The policy whose rule matched; null when no ALLOW rule did. */
  readonly ref: PolicyRef | null;
  /** Position of that rule in spec.rules. */
  readonly rule: number | null;
}

const ALLOWED: Verdict = { kind: "allowed" };
const NO_ALLOW: Denied = { kind: "denied", reason: "no_allow_policy", ref: null, rule: null };

/**
 * Evaluates DENY, then ALLOW: a DENY rule that matches denies; without any ALLOW policy all is allowed; otherwise one of their rules
 * must match. Never throws.
 * @param readings the request by every plausible reading of its path: any of them can deny, all of them must be allowed
 * @see https://istio.io/latest/docs/concepts/security/#implicit-enablement
 */
export function evaluate(rules: ActionRules, readings: readonly RequestAttributes[]): Verdict {
  const rule = rules.deny.first(readings);
  if (rule !== undefined) return { kind: "denied", reason: "deny_policy", ref: rule.ref, rule: rule.index };
  const { allow } = rules;
  return allow === null || allow.matchEach(readings) ? ALLOWED : NO_ALLOW;
}
