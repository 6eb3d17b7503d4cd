import type { HTTPRoute } from "../resources/gen/types.ts";
import type { Findings } from "./report.ts";

/**
 * Says which fields of a route exclude each other or can't be carried out here.
 * @returns whether the route can be used at all
 */
export function checkHttpRoute(route: HTTPRoute, path: string, isDelegate: boolean, findings: Findings): boolean {
  reportUnsupported(route, path, findings);
  const messages = route.delegate == null ? checkActions(route) : checkDelegation(route, path, isDelegate);
  for (const message of messages) findings.invalid(path, message);
  return messages.length === 0;
}

function checkActions(route: HTTPRoute): readonly string[] {
  const hasRoute = (route.route?.length ?? 0) > 0;
  const { redirect, directResponse, fault, rewrite, mirror, mirrors } = route;
  const isBoth = (a: unknown, b: unknown) => a != null && b != null;
  const combinations: readonly (readonly [boolean, string])[] = [
    [hasRoute && redirect != null, "route and redirect"],
    [isBoth(fault, redirect), "fault and redirect"],
    [isBoth(rewrite, redirect), "rewrite and redirect"],
    [isBoth(directResponse, redirect), "direct_response and redirect"],
    [hasRoute && directResponse != null, "route and direct_response"],
    [isBoth(fault, directResponse), "fault and direct_response"],
    [isBoth(rewrite, directResponse), "rewrite and direct_response"],
    [isBoth(mirror, mirrors), "mirror and mirrors"],
  ];
  const messages = combinations
    .filter(([isForbidden]) => isForbidden)
    .map(([, what]) => `HTTP route cannot contain both ${what}`);
  const hasAction = hasRoute || redirect != null || directResponse != null;
  return hasAction ? messages : [...messages, "HTTP route, redirect or direct_response is required"];
}

function checkDelegation(route: HTTPRoute, path: string, isDelegate: boolean): readonly string[] {
  const index = /\[(\d+)\]$/.exec(path)?.[1] ?? "";
  const messages: string[] = [];
  if (isDelegate) messages.push("delegate HTTP route cannot contain delegate");
  if ((route.route?.length ?? 0) > 0) messages.push(`root HTTP route ${index} must not specify route`);
  if (route.redirect != null) messages.push(`root HTTP route ${index} must not specify redirect`);
  if (route.directResponse != null) messages.push(`root HTTP route ${index} must not specify directResponse`);
  if (!route.delegate?.name) messages.push("delegate must have a name");
  return messages;
}

const MIRRORING = ["mirror", "mirrors", "mirrorPercentage", "mirrorPercent", "mirror_percent"] as const;

function reportUnsupported(route: HTTPRoute, path: string, findings: Findings): void {
  for (const field of MIRRORING) {
    if (route[field] != null)
      findings.unsupported(`${path}.${field}`, "mirroring can't be done by an external authorizer");
  }
}

/** Says what of a route the user's own route in Envoy must do, because only its name is told there (`routing: header`). */
export function reportLeftToEnvoy(route: HTTPRoute, path: string, findings: Findings): void {
  if (route.redirect != null || route.directResponse != null) return;
  const destinations = route.route ?? [];
  const fields: readonly (readonly [string, boolean])[] = [
    ["rewrite", route.rewrite != null],
    ["headers", route.headers != null],
    ["timeout", route.timeout != null],
    ["retries", route.retries != null],
    ["fault.delay", route.fault?.delay != null],
    ["route", destinations.length > 1 || destinations.some(({ headers }) => headers != null)],
  ];
  for (const [field, isWritten] of fields) {
    if (isWritten) findings.unsupported(`${path}.${field}`, "with routing by header this is left to Envoy's own route");
  }
}
