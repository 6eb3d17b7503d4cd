import { type AuthnIo, authenticate } from "./authn/authenticate.ts";
import { type AuthnResult, NO_TOKEN } from "./authn/authn-result.ts";
import type { RequestAttributes } from "./authz/attributes.ts";
import { evaluate, type Verdict } from "./authz/evaluate.ts";
import { readingsOf } from "./authz/readings.ts";
import { rejectToken } from "./authz/reject-token.ts";
import { toAttributes } from "./authz/to-attributes.ts";
import { type AskIo, askProviders } from "./custom/ask-providers.ts";
import { accessDenied, badHeader, badPath, type Decision, type Respond, tooMuchWork } from "./decision.ts";
import { firstHeader, type HttpRequest } from "./http-request.ts";
import { type NormalizedTarget, normalizeTarget } from "./policy/path-normalizer.ts";
import { RegexWorkExceeded, withinRegexWork } from "./policy/regex.ts";
import { isOwnHeaderSent } from "./policy/reserved-headers.ts";
import type { PreparedRule } from "./policy/rule-matcher.ts";
import type { WorkloadPolicy } from "./policy/workload-policy.ts";
import { allowRequest } from "./routing/allow-request.ts";
import { chooseRoute, responseChangesOf, withResponseChanges } from "./routing/route.ts";
import { climbsOut, leadToOneRoute } from "./routing/strict-route.ts";

/** What a decision needs of the world. */
export interface DecideIo extends AuthnIo, Pick<AskIo, "askProvider"> {
  /** In [0, 1). */
  readonly random: () => number;
  readonly record: DecisionRecorder;
  /** Hears of the request as rules see it, before they are asked; for explanations. */
  readonly onEvaluate?: (step: "custom" | "authorization", readings: readonly RequestAttributes[]) => void;
}

/** Hears of what is evaluated but not enforced. Called only where such policies apply. */
export interface DecisionRecorder {
  dryRun(verdict: Verdict, request: HttpRequest, policy: WorkloadPolicy): void;
  /** A request that AUDIT rules match, with what was decided about it. Left out: nobody keeps records. */
  audit?(
    rules: readonly PreparedRule[],
    attributes: RequestAttributes,
    decision: Decision,
    policy: WorkloadPolicy,
  ): void;
}

/**
 * Decides one request: CUSTOM, JWT, AUDIT, DENY, ALLOW, route. Never throws for any token, policy or request. Waits only while a provider
 * is asked, so never where a workload has no CUSTOM policy, or none can be asked.
 * @param policy of the workload whose Envoy asks
 */
export function decide(
  policy: WorkloadPolicy,
  request: HttpRequest,
  io: DecideIo & { readonly askProvider?: undefined },
): Decision;
export function decide(policy: WorkloadPolicy, request: HttpRequest, io: DecideIo): Decision | Promise<Decision>;
export function decide(policy: WorkloadPolicy, request: HttpRequest, io: DecideIo): Decision | Promise<Decision> {
  if (request.hasNul === true) return badHeader();
  // Envoy chose its first route before it asked us; with one of our headers on the request that may have been a spoofed choice.
  if (isOwnHeaderSent(request.headers)) return accessDenied("reserved_header");
  if (policy.needsRawHeaders && !request.hasRawHeaders) return accessDenied("raw_headers_missing");
  if (policy.custom.length === 0) return decideHere(policy, request, io);
  return askProviders(policy, request, io, (changed) => decideHere(policy, changed, io));
}

/** All that needs nobody else. */
function decideHere(policy: WorkloadPolicy, request: HttpRequest, io: DecideIo): Decision {
  try {
    return withinRegexWork(io.now, () => decideInTime(policy, request, io));
  } catch (error) {
    if (error instanceof RegexWorkExceeded) return tooMuchWork();
    throw error;
  }
}

function decideInTime(policy: WorkloadPolicy, request: HttpRequest, io: DecideIo): Decision {
  const target = normalizeTarget(request.path, policy.mesh.pathNormalization);
  if (target === undefined) return badPath();

  const authn = isCorsPreflight(request) ? NO_TOKEN : authenticateUser(policy, request, target, io);
  if (authn.kind === "rejected") {
    const refusal = rejectToken(authn, request, target, policy.mesh);
    return refuse(refusal, { policy, request, io, see: () => toAttributes(policy, request, target, NO_TOKEN) });
  }

  const attributes = toAttributes(policy, request, target, authn);
  const readings = readingsOf(policy, attributes);
  const decision = authorize(policy, attributes, readings, io);
  if (!policy.audit.isEmpty && io.record.audit !== undefined) {
    const rules = policy.audit.all(readings);
    if (rules.length > 0) io.record.audit(rules, attributes, decision, policy);
  }
  return decision;
}

function authorize(
  policy: WorkloadPolicy,
  attributes: RequestAttributes,
  readings: readonly RequestAttributes[],
  io: DecideIo,
): Decision {
  io.onEvaluate?.("authorization", readings);
  const verdict = evaluate(policy.enforced, readings);
  if (policy.dryRun !== null) io.record.dryRun(evaluate(policy.dryRun, readings), attributes.request, policy);
  if (verdict.kind === "denied") {
    const refusal = accessDenied(verdict.reason, verdict.ref);
    return refuse(refusal, { policy, request: attributes.request, io, see: () => attributes });
  }
  return forward(policy, attributes, readings, io);
}

interface Refused {
  readonly policy: WorkloadPolicy;
  readonly request: HttpRequest;
  readonly io: DecideIo;
  /** The request as routes see it. */
  readonly see: () => RequestAttributes;
}

/** At a gateway, what a VirtualService does to response headers is done to refusals too. */
function refuse(refusal: Respond, { policy, request, io, see }: Refused): Respond {
  const routes = policy.routesAt(request.destination.port);
  if (routes?.changesResponses !== true) return refusal;
  return withResponseChanges(refusal, responseChangesOf(routes, see(), policy.mesh, io.random));
}

/** Browsers send preflights without token; Envoy's jwt_authn lets them pass in Istio. Authorization still applies. */
export function isCorsPreflight(request: HttpRequest): boolean {
  return (
    request.method === "OPTIONS" &&
    (firstHeader(request.headers, "origin") ?? "") !== "" &&
    (firstHeader(request.headers, "access-control-request-method") ?? "") !== ""
  );
}

function authenticateUser(
  policy: WorkloadPolicy,
  request: HttpRequest,
  target: NormalizedTarget,
  io: DecideIo,
): AuthnResult {
  if (policy.jwtRules.length === 0) return NO_TOKEN;
  const { requireExp } = policy.mesh;
  const source = { headers: request.headers, query: target.query.slice(1), requireExp };
  return authenticate(policy.jwtRules, source, io, policy.issuers);
}

/** @param readings of the path; more than one only under `strictPaths` */
function forward(
  policy: WorkloadPolicy,
  attributes: RequestAttributes,
  readings: readonly RequestAttributes[],
  io: DecideIo,
): Decision {
  const routes = policy.routesAt(attributes.request.destination.port);
  if (routes === null) return allowRequest(attributes, null);
  if (routes.needsRawHeaders && !attributes.request.hasRawHeaders) return accessDenied("raw_headers_missing");
  if (!leadToOneRoute(routes, readings, policy.mesh)) return badPath();
  const chosen = chooseRoute(routes, attributes, policy.mesh, io.random);
  if (policy.mesh.strictPaths && chosen.kind === "forward" && climbsOut(chosen.path ?? "")) return badPath();
  return chosen.kind === "respond" ? chosen : allowRequest(attributes, chosen);
}
