import type { PolicyRef } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import type { Decision } from "../decision.ts";
import type { PreparedAuthorizationPolicy } from "../policy/prepared-policy.ts";
import { authorizationPoliciesOf, type WorkloadPolicy } from "../policy/workload-policy.ts";
import type { WorkloadRules } from "../policy/workload-rules.ts";
import { explainRule } from "./explain-rule.ts";
import type { PolicyExplanation, RuleExplanation } from "./explanation.ts";
import type { Redactor } from "./redactor.ts";

/** The request as rules saw it, by each reading of its path; null where the request was answered before. */
export interface SeenByRules {
  readonly custom: readonly RequestAttributes[] | null;
  readonly authorization: readonly RequestAttributes[] | null;
}

const ORDER = ["CUSTOM", "AUDIT", "DENY", "ALLOW"] as const;

/** Explains every AuthorizationPolicy of a workload, all rules of each, whatever decided. */
export function explainPolicies(
  { applicable, custom, enforced }: WorkloadPolicy,
  seen: SeenByRules,
  decision: Decision,
  redactor: Redactor,
): readonly PolicyExplanation[] {
  const providers = new Set(custom.flatMap(({ name, provider }) => (provider === null ? [] : [name])));
  const explained = authorizationPoliciesOf(applicable)
    .toSorted((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action))
    .map((policy) => {
      const readings = policy.action === "CUSTOM" ? seen.custom : seen.authorization;
      const allow = policy.dryRun ? null : enforced.allow;
      return explainPolicy(policy, readings && readingToShow(policy, readings, allow), providers, redactor);
    });
  return markDecisive(explained, decisiveAction(decision), decision.kind === "respond" ? decision.ref : null);
}

/**
 * Under strictPaths there are several readings of a path. What narrows fires if any of them matches, so that one is shown; ALLOW fails if
 * one of them is not allowed.
 */
function readingToShow(
  policy: PreparedAuthorizationPolicy,
  readings: readonly RequestAttributes[],
  allow: WorkloadRules | null,
): RequestAttributes | null {
  const matches = (reading: RequestAttributes): boolean => policy.rules.some((rule) => rule.matches(reading));
  const isAllowed = allow === null ? matches : (reading: RequestAttributes): boolean => allow.matchEach([reading]);
  const isDecisive = policy.action === "ALLOW" ? (reading: RequestAttributes) => !isAllowed(reading) : matches;
  return readings.find(isDecisive) ?? readings[0] ?? null;
}

function explainPolicy(
  policy: PreparedAuthorizationPolicy,
  attributes: RequestAttributes | null,
  providers: ReadonlySet<string>,
  redactor: Redactor,
): PolicyExplanation {
  const { source, action, dryRun } = policy;
  const rules = attributes === null ? [] : policy.rules.map((rule) => explainRule(rule, attributes, redactor));
  return {
    policy: { kind: source.kind, namespace: source.meta.namespace, name: source.meta.name },
    action,
    provider: action === "CUSTOM" ? { name: source.provider, isKnown: providers.has(source.provider) } : null,
    dryRun,
    unenforceable: source.meta.unenforceable,
    evaluated: attributes !== null,
    matches: rules.some(({ matches }) => matches),
    rules,
  };
}

function decisiveAction(decision: Decision): PolicyExplanation["action"] | null {
  if (decision.kind === "allow") return "ALLOW";
  switch (decision.reason) {
    case "deny_policy":
      return "DENY";
    case "custom_denied":
    case "custom_error":
      return "CUSTOM";
    case "no_route":
    case "route_response":
    case "cors_preflight":
      return "ALLOW";
    default:
      return null;
  }
}

/** Marks the first rule of an action that matches: it decided. @param ref of the policy that decided, where that is known */
function markDecisive(
  policies: readonly PolicyExplanation[],
  action: PolicyExplanation["action"] | null,
  ref: PolicyRef | null,
): readonly PolicyExplanation[] {
  const isKnown = ref?.kind === "AuthorizationPolicy";
  const decisive = policies
    .filter((policy) => policy.action === action && !policy.dryRun)
    .filter(({ policy }) => !isKnown || (policy.namespace === ref.namespace && policy.name === ref.name))
    .flatMap(({ rules }) => rules)
    .find(({ matches }) => matches);
  if (decisive === undefined) return policies;
  const marked = (rule: RuleExplanation): RuleExplanation => (rule === decisive ? { ...rule, decides: true } : rule);
  return policies.map((policy) =>
    policy.rules.includes(decisive) ? { ...policy, rules: policy.rules.map(marked) } : policy,
  );
}
