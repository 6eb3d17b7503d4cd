import type { Decision, DenyReason } from "../decision.ts";
import { NO_TOKEN } from "./actual-value.ts";
import type {
  AttemptExplanation,
  Explanation,
  ObjectName,
  PolicyExplanation,
  RouteExplanation,
  TokenExplanation,
  VerdictExplanation,
} from "./explanation.ts";

/** What the verdict is put together from. */
export type Findings = Pick<Explanation, "token" | "policies" | "route" | "nearestMiss">;

/** Says in one line what the answer is and who decided it. */
export function explainVerdict(decision: Decision, findings: Findings): VerdictExplanation {
  const decisive = decisiveRule(findings.policies);
  if (decision.kind === "allow") {
    return {
      outcome: "allow",
      status: null,
      body: "",
      reason: "allowed",
      policy: decisive?.policy ?? null,
      rule: decisive?.rule ?? null,
      summary: `ALLOWED  ${whyAllowed(decisive?.policy ?? null, findings)}`,
    };
  }
  const { status, body, reason } = decision;
  const isAnswer = reason === "route_response" || reason === "cors_preflight";
  const policy = decision.ref ?? blamed(reason, findings);
  const text = body === "" || isAnswer ? STATUS_TEXT.get(status) : body;
  return {
    outcome: isAnswer ? "answer" : "deny",
    status,
    body,
    reason,
    policy,
    rule: decisive?.rule ?? null,
    summary: [`${status}${text === undefined ? "" : ` ${text}`}`, whyAnswered(reason, policy, findings)].join("  "),
  };
}

const STATUS_TEXT: ReadonlyMap<number, string> = new Map([
  [200, "OK"],
  [301, "Moved Permanently"],
  [302, "Found"],
  [400, "Bad Request"],
  [404, "Not Found"],
  [500, "Internal Server Error"],
  [503, "Service Unavailable"],
]);

function decisiveRule(
  policies: readonly PolicyExplanation[],
): { readonly policy: ObjectName; readonly rule: string } | null {
  for (const { policy, rules } of policies) {
    const rule = rules.find(({ decides }) => decides);
    if (rule !== undefined) return { policy, rule: rule.id };
  }
  return null;
}

function whyAllowed(policy: ObjectName | null, { policies, route }: Findings): string {
  const hasRules = policies.some(({ dryRun, action }) => !dryRun && action !== "AUDIT");
  const unopposed = hasRules
    ? "no DENY rule matched, and no ALLOW policy applies to this workload"
    : "no AuthorizationPolicy applies to this workload";
  const way = [...(policy === null ? [] : [`by ${nameOf(policy)}`]), ...wayText(route)];
  return [...way, ...(policy === null ? [`(${unopposed})`] : [])].join(" ");
}

function wayText({ outcome, chosen, destination }: RouteExplanation): readonly string[] {
  if (outcome === "unknownHost") return ["as it is, no VirtualService has this host"];
  if (outcome !== "chosen") return [];
  return [...(destination === null ? [] : [`to ${destination}`]), `by VirtualService ${chosen}`];
}

/** The object that a person should look at, where the decision itself names none. */
function blamed(reason: DenyReason, { policies, token, nearestMiss }: Findings): ObjectName | null {
  switch (reason) {
    case "no_allow_policy": {
      const allow = policies.filter(({ action, dryRun }) => action === "ALLOW" && !dryRun);
      return (allow.length === 1 ? allow[0]?.policy : nearestMiss?.object) ?? null;
    }
    case "jwt_rejected":
    case "jwt_missing":
    case "keys_unavailable":
      return decisiveAttempt(token)?.rule?.policy ?? null;
    case "no_route":
      return nearestMiss?.object ?? null;
    default:
      return null;
  }
}

function whyAnswered(reason: DenyReason, policy: ObjectName | null, findings: Findings): string {
  const by = policy === null ? "" : `by ${nameOf(policy)} `;
  switch (reason) {
    case "no_allow_policy":
      return noAllowText(policy, findings);
    case "deny_policy":
      return `${by}(${unenforceable(policy, findings.policies) ?? "a DENY rule matched"})`;
    case "jwt_rejected":
    case "jwt_missing":
    case "keys_unavailable":
      return `${by}(${tokenText(reason, findings.token)})`;
    case "custom_denied":
      return `${by}(its provider denied)`;
    case "custom_error":
      return `${by}(${customErrorText(policy, findings.policies)})`;
    case "no_route":
      return noRouteText(findings);
    case "route_response":
      return `answered ${by === "" ? "by the Gateway" : by.trim()}`;
    case "cors_preflight":
      return `answered by the CORS policy of ${policy === null ? "the route" : nameOf(policy)}`;
    case "bad_path":
      return "(the path holds %00, never becomes stable, or is ambiguous under strictPaths)";
    case "bad_header":
      return "(a NUL in the request; Envoy itself refuses these)";
    case "reserved_header":
      return "(the client sent an x-gatehouse- header; Envoy must remove these before it chooses a route)";
    case "raw_headers_missing":
      return "(a policy looks at headers, and Envoy sends none one by one: set encode_raw_headers)";
    case "unknown_workload":
      return "(Envoy does not say which workload it serves)";
    case "regex_work":
      return "(the regular expressions of its host take too long on a request like this: make them smaller)";
    case "internal_error":
      return "(a failure inside the server)";
  }
}

function noAllowText(policy: ObjectName | null, findings: Findings): string {
  const { policies } = findings;
  const allow = policies.filter(({ action, dryRun }) => action === "ALLOW" && !dryRun);
  if (allow.length === 1 && policy !== null) {
    const isEmpty = allow[0]?.rules.length === 0;
    const why = isEmpty ? "an ALLOW policy without rules allows nothing" : `no ALLOW rule matched${noToken(findings)}`;
    return `by ${nameOf(policy)} (${why})`;
  }
  const nearest = policy === null ? "" : `; nearest: ${nameOf(policy)}`;
  return `by ${allow.length} ALLOW policies (no ALLOW rule matched${noToken(findings)}${nearest})`;
}

function customErrorText(policy: ObjectName | null, policies: readonly PolicyExplanation[]): string {
  const provider = findPolicy(policy, policies)?.provider;
  return provider?.isKnown === false
    ? `MeshConfig has no extension provider ${provider.name}`
    : "its provider could not be asked";
}

function findPolicy(policy: ObjectName | null, policies: readonly PolicyExplanation[]): PolicyExplanation | undefined {
  return policies.find((candidate) => policy !== null && isSame(candidate.policy, policy));
}

function unenforceable(policy: ObjectName | null, policies: readonly PolicyExplanation[]): string | null {
  const found = findPolicy(policy, policies);
  return found === undefined || found.unenforceable === ""
    ? null
    : `it can't be enforced as written, so it denies: ${found.unenforceable}`;
}

function tokenText(reason: DenyReason, token: TokenExplanation): string {
  if (reason === "jwt_missing") return "a token is required, and there is none";
  if (reason === "keys_unavailable") return "the keys for this token have not been fetched";
  const location = decisiveAttempt(token)?.location;
  return `token in ${location ?? "the request"}`;
}

/** The one that the client hears of. */
function decisiveAttempt({ attempts, failure }: TokenExplanation): AttemptExplanation | undefined {
  return attempts.find((attempt) => !attempt.accepted && attempt.failure === failure);
}

function noRouteText(findings: Findings): string {
  const { outcome, host, candidates } = findings.route;
  if (outcome === "unknownHost") return "(no VirtualService of this gateway has this host)";
  if (candidates.length === 0) return `(no route for host ${host} at this gateway and port)`;
  const names = new Set(candidates.map(({ virtualService }) => nameOf(virtualService)));
  const [name] = names;
  const isOne = candidates.length === 1;
  const why = `${isOne ? "its one route does not match" : `none of its ${candidates.length} routes matches`}${noToken(findings)}`;
  return names.size === 1
    ? `by ${name} (${why})`
    : `by the VirtualServices of host ${host} (${why.replace("its", "their")})`;
}

/** The commonest reason of all deserves a word in the first line. */
function noToken({ token, nearestMiss }: Findings): string {
  const isMissed =
    nearestMiss?.conditions.some(({ holds, actual }) => !holds && actual.note === NO_TOKEN.note) ?? false;
  return token.outcome === "none" && isMissed ? "; the request has no token" : "";
}

function nameOf({ kind, namespace, name }: ObjectName): string {
  return `${kind} ${namespace}/${name}`;
}

function isSame(a: ObjectName, b: ObjectName): boolean {
  return a.kind === b.kind && a.namespace === b.namespace && a.name === b.name;
}
