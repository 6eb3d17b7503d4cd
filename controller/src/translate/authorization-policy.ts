import type { AuthorizationPolicy } from "@gatehouse/protos";
import type { AuthorizationPolicySpec } from "../resources/gen/types.ts";
import type { ObjectMetadata } from "../resources/object.ts";
import { readDryRun } from "./dry-run.ts";
import { toObjectMeta } from "./object-meta.ts";
import type { Findings } from "./report.ts";
import { translateRule } from "./rule.ts";
import { translateTarget } from "./selector.ts";
import { warnOfTcpPorts } from "./tcp-ports.ts";

/**
 * Translates an AuthorizationPolicy. An ALLOW policy that lost all of its rules is still an ALLOW policy: it denies.
 * @see https://istio.io/latest/docs/reference/config/security/authorization-policy/
 */
export function translateAuthorizationPolicy(
  metadata: ObjectMetadata,
  spec: AuthorizationPolicySpec,
  findings: Findings,
): AuthorizationPolicy {
  const action = spec.action ?? "ALLOW";
  const dryRun = readDryRun(metadata, action, findings);
  const { target, unenforceable } = translateTarget(spec, findings);
  const provider = readProvider(spec, action, findings);
  checkHasRules(spec, action, findings);
  if (action === "DENY") warnOfTcpPorts(spec.rules ?? [], findings);
  const scope = { action, namespace: metadata.namespace, findings };
  const rules = (spec.rules ?? []).map((rule, index) => translateRule(rule, index, scope));
  return {
    kind: "AuthorizationPolicy",
    meta: toObjectMeta(metadata, unenforceable),
    target,
    action,
    dryRun,
    provider,
    rules: rules.filter((rule) => rule !== null),
  };
}

function readProvider(
  spec: AuthorizationPolicySpec,
  action: AuthorizationPolicy["action"],
  findings: Findings,
): string {
  const name = spec.provider?.name ?? "";
  if (action === "CUSTOM") {
    if (name === "") findings.invalid("spec.provider.name", "`provider.name` must not be empty");
    return name;
  }
  if (spec.provider != null) {
    findings.invalid("spec.provider", `\`provider\` must not be with non CUSTOM action, found ${action}`);
  }
  return "";
}

/** DENY and CUSTOM without rules never trigger, which is well-defined but surely not meant. */
function checkHasRules(spec: AuthorizationPolicySpec, action: AuthorizationPolicy["action"], findings: Findings): void {
  if ((action !== "DENY" && action !== "CUSTOM") || (spec.rules?.length ?? 0) > 0) return;
  const meaningless = "is meaningless as it will never be triggered";
  const advice = "add an empty rule `{}` if you want it be triggered for every request";
  findings.invalid("spec.rules", `${action} action without \`rules\` ${meaningless}, ${advice}`);
}
