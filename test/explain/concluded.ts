import type { Decision, Explanation } from "@gatehouse/authz-server/engine";

/** Reasons that end a request before DENY and ALLOW rules are asked. */
const EARLIER = [
  "jwt_rejected",
  "jwt_missing",
  "keys_unavailable",
  "custom_denied",
  "custom_error",
  "bad_path",
  "bad_header",
  "reserved_header",
  "raw_headers_missing",
  "regex_work",
];

/**
 * What an explanation contradicts of the decision that it explains; empty is right. Looks only at what it says of rules and routes, never
 * at the verdict that it repeats.
 */
export function contradictions({ policies, route, verdict, nearestMiss }: Explanation, decision: Decision): string[] {
  const reason = decision.kind === "allow" ? "allowed" : decision.reason;
  const found: string[] = [];
  const expectThat = (holds: boolean, text: string): void => {
    if (!holds) found.push(`${reason}: ${text}`);
  };
  const enforced = policies.filter(({ dryRun }) => !dryRun);
  const asked = enforced.filter(({ action }) => action === "DENY" || action === "ALLOW");
  const isAsked = route.outcome !== "notReached" || ["deny_policy", "no_allow_policy"].includes(reason);
  const denied = asked.filter(({ action, matches }) => action === "DENY" && matches);
  const allow = asked.filter(({ action }) => action === "ALLOW");
  const isAllowed = allow.length === 0 || allow.some(({ matches }) => matches);
  if (EARLIER.includes(reason) && asked.some(({ evaluated }) => !evaluated)) {
    expectThat(!asked.some(({ evaluated }) => evaluated), "some policies were asked, some not");
  } else if (isAsked) {
    expectThat((reason === "deny_policy") === denied.length > 0, `${denied.length} DENY policies match`);
    expectThat(
      (reason === "no_allow_policy") === (denied.length === 0 && !isAllowed),
      `allowed by rules: ${isAllowed}`,
    );
  }
  expectThat(verdict.reason === reason, `verdict says ${verdict.reason}`);
  expectThat(
    reason !== "no_allow_policy" || nearestMiss !== null || allow.every(({ rules }) => rules.length === 0),
    "no near miss",
  );
  if (reason === "no_route") expectThat(route.outcome === "noRoute" || route.outcome === "unknownHost", route.outcome);
  if (route.outcome === "noRoute") expectThat(reason === "no_route" || reason === "bad_path", "no route matches");
  for (const { id, matches, conditions } of route.candidates) {
    expectThat(matches === conditions.every(({ holds }) => holds), `${id} matches: ${matches}, its conditions differ`);
  }
  const deciding = enforced.flatMap(({ rules }) => rules).filter(({ decides }) => decides);
  expectThat(deciding.every(({ matches }) => matches) && deciding.length <= 1, "the rule that decides does not match");
  return found;
}
