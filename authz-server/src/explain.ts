import type { TokenAttempt } from "./authn/authenticate.ts";
import { JWT_STATUS_TEXT } from "./authn/jwt-status.ts";
import { type DecideIo, decide, isCorsPreflight } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { fromByteString } from "./explain/byte-text.ts";
import { explainPolicies, type SeenByRules } from "./explain/explain-policies.ts";
import { explainRoute } from "./explain/explain-route.ts";
import { explainToken, type TokenOutcome } from "./explain/explain-token.ts";
import type { Explanation, RequestExplanation } from "./explain/explanation.ts";
import { nearestAllowRule, nearestRoute } from "./explain/nearest-miss.ts";
import { type Redactor, redactorFor } from "./explain/redactor.ts";
import { explainVerdict } from "./explain/summary.ts";
import type { HttpRequest } from "./http-request.ts";
import { normalizeTarget } from "./policy/path-normalizer.ts";
import { requestAuthenticationsOf, type WorkloadPolicy } from "./policy/workload-policy.ts";

/**
 * Decides a request, and says why. The decision is `decide`'s own; it is overheard, and the tests that it made are asked once more, one
 * by one.
 */
export async function explain(policy: WorkloadPolicy, request: HttpRequest, io: DecideIo): Promise<Explained> {
  const attempts: TokenAttempt[] = [];
  const seen: { -readonly [Step in keyof SeenByRules]: SeenByRules[Step] } = { custom: null, authorization: null };
  const decision = await decide(policy, request, {
    ...io,
    onToken: (attempt) => void attempts.push(attempt),
    // What a CUSTOM provider changes, the rules of the next one see.
    onEvaluate(step, readings) {
      seen[step] = [...(seen[step] ?? []), ...readings];
    },
  });

  const redactor = redactorFor(policy);
  const token = explainToken(
    policy.jwtRules,
    attempts,
    {
      ...tokenOutcome(policy, request, decision, seen),
      policies: requestAuthenticationsOf(policy.applicable).map(({ kind, meta }) => ({
        kind,
        namespace: meta.namespace,
        name: meta.name,
      })),
    },
    redactor,
  );
  const policies = explainPolicies(policy, seen, decision, redactor);
  const isDenied = decision.kind === "respond" && REASONS_BEFORE_ROUTES.has(decision.reason);
  const attributes = isDenied ? null : (seen.authorization?.[0] ?? null);
  const route = explainRoute(policy, attributes, decision, redactor);
  const nearestMiss = nearestMissOf(
    decision,
    () => nearestAllowRule(policies),
    () => nearestRoute(route),
  );
  const verdict = explainVerdict(decision, { token, policies, route, nearestMiss });
  const { workload, isGateway } = policy;
  const labels = Array.from(workload.labels, ([name, value]) => `${name}=${value}`).join(",");
  return {
    decision,
    explanation: {
      verdict,
      request: explainRequest(policy, request, seen, redactor),
      workload: { namespace: workload.namespace, labels, isGateway },
      nearestMiss,
      token,
      policies,
      route,
    },
  };
}

/** The decision, and why it is that one. */
export interface Explained {
  readonly decision: Decision;
  readonly explanation: Explanation;
}

const REASONS_BEFORE_ROUTES: ReadonlySet<string> = new Set(["deny_policy", "no_allow_policy", "regex_work"]);

function tokenOutcome(
  policy: WorkloadPolicy,
  request: HttpRequest,
  decision: Decision,
  seen: SeenByRules,
): Pick<TokenOutcome, "outcome" | "failure"> {
  if (decision.kind === "respond") {
    const { reason, body } = decision;
    if (reason === "jwt_missing") return { outcome: "missing", failure: body };
    if (reason === "jwt_rejected") return { outcome: "rejected", failure: body };
    if (reason === "keys_unavailable") return { outcome: "rejected", failure: JWT_STATUS_TEXT.JwtVerificationFail };
  }
  const [attributes] = seen.authorization ?? [];
  if (attributes === undefined) return { outcome: "notReached", failure: "" };
  if (policy.jwtRules.length === 0) return { outcome: "notChecked", failure: "" };
  if (attributes.claims !== null) return { outcome: "verified", failure: "" };
  return { outcome: isCorsPreflight(request) ? "preflight" : "none", failure: "" };
}

function nearestMissOf<Miss>(decision: Decision, allowRule: () => Miss, route: () => Miss): Miss | null {
  if (decision.kind === "allow") return null;
  if (decision.reason === "no_allow_policy") return allowRule();
  return decision.reason === "no_route" ? route() : null;
}

function explainRequest(
  { mesh }: WorkloadPolicy,
  request: HttpRequest,
  seen: SeenByRules,
  redactor: Redactor,
): RequestExplanation {
  const text = (value: string): string => redactor.text(fromByteString(value));
  const target = normalizeTarget(request.path, mesh.pathNormalization);
  return {
    method: text(request.method),
    scheme: text(request.scheme),
    host: text(request.host),
    path: target === undefined ? null : text(target.path),
    sentPath: text(request.path.replace(/[?#].*$/s, "")),
    port: request.destination.port,
    sourceIp: request.source.address,
    remoteIp: (seen.authorization ?? seen.custom)?.[0]?.remoteAddress ?? null,
  };
}
