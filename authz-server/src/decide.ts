import { type AuthnIo, authenticate } from "./authn/authenticate.ts";
import type { Accepted, AuthnResult } from "./authn/authn-result.ts";
import type { RequestAttributes } from "./authz/attributes.ts";
import { evaluate, type Verdict } from "./authz/evaluate.ts";
import { rejectToken } from "./authz/reject-token.ts";
import { toAttributes } from "./authz/to-attributes.ts";
import { accessDenied, type Decision, type Respond } from "./decision.ts";
import { firstHeader, type HttpRequest } from "./http-request.ts";
import { type NormalizedTarget, normalizeTarget } from "./policy/path-normalizer.ts";
import { pathReadings } from "./policy/path-readings.ts";
import { isOwnHeaderSent } from "./policy/reserved-headers.ts";
import type { WorkloadPolicy } from "./policy/workload-policy.ts";
import { allowRequest } from "./routing/allow-request.ts";
import { chooseRoute } from "./routing/route.ts";

/** What a decision needs of the world. */
export interface DecideIo extends AuthnIo {
  /** In [0, 1). */
  readonly random: () => number;
  readonly record: DecisionRecorder;
}

/** Hears of what is evaluated but not enforced. Called only where such policies apply. */
export interface DecisionRecorder {
  dryRun(verdict: Verdict, request: HttpRequest, policy: WorkloadPolicy): void;
}

/**
 * Decides one request: CUSTOM, JWT, DENY, ALLOW, route. Never throws for any token, policy or request, and never waits.
 * @param policy of the workload whose Envoy asks
 */
export function decide(policy: WorkloadPolicy, request: HttpRequest, io: DecideIo): Decision {
  // Envoy chose its first route before it asked us; with one of our headers on the request that may have been a spoofed choice.
  if (isOwnHeaderSent(request.headers)) return accessDenied("reserved_header");
  if (policy.needsRawHeaders && !request.hasRawHeaders) return accessDenied("raw_headers_missing");
  const target = normalizeTarget(request.path, policy.mesh.pathNormalization);
  if (target === undefined) return badPath();

  const custom = policy.custom.length > 0 ? decideCustom(policy, request, target) : null;
  if (custom !== null) return custom;

  const authn = isCorsPreflight(request) ? NO_TOKEN : authenticateUser(policy, request, target, io);
  if (authn.kind === "rejected") return rejectToken(authn, request, target, policy.mesh);

  const attributes = toAttributes(policy, request, target, authn);
  const readings = readingsOf(policy, attributes);
  const verdict = evaluate(policy.enforced, readings);
  if (policy.dryRun !== null) io.record.dryRun(evaluate(policy.dryRun, readings), request, policy);
  if (verdict.kind === "denied") return accessDenied(verdict.reason, verdict.ref);

  return forward(policy, attributes, io);
}

const NO_TOKEN: Accepted = { kind: "none" };

/** No provider can be asked yet, so a request that a CUSTOM rule is about is denied, as Istio does for a provider it does not know. */
function decideCustom(policy: WorkloadPolicy, request: HttpRequest, target: NormalizedTarget): Respond | null {
  const readings = readingsOf(policy, toAttributes(policy, request, target, NO_TOKEN));
  const rule = policy.custom.find((candidate) => readings.some(candidate.matches));
  return rule === undefined ? null : accessDenied("custom_error", rule.ref);
}

/** Browsers send preflights without token; Envoy's jwt_authn lets them pass in Istio. Authorization still applies. */
function isCorsPreflight(request: HttpRequest): boolean {
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
  return authenticate(policy.jwtRules, { headers: request.headers, query: target.query.slice(1) }, io);
}

/** Once, or under `strictPaths` once for each plausible reading of the path. */
function readingsOf(policy: WorkloadPolicy, attributes: RequestAttributes): readonly RequestAttributes[] {
  if (!policy.mesh.strictPaths) return [attributes];
  return pathReadings(attributes.path).map((path) => ({ ...attributes, path }));
}

function forward(policy: WorkloadPolicy, attributes: RequestAttributes, io: DecideIo): Decision {
  const routes = policy.routesAt(attributes.request.destination.port);
  if (routes === null) return allowRequest(attributes, null);
  const chosen = chooseRoute(routes, attributes, policy.mesh, io.random);
  return chosen.kind === "respond" ? chosen : allowRequest(attributes, chosen);
}

function badPath(): Respond {
  return { kind: "respond", status: 400, headers: [], body: "", reason: "bad_path", ref: null };
}
