import type { HttpRoute } from "@gatehouse/protos";
import type { HTTPRoute } from "../resources/gen/types.ts";
import { translateHeaderOperations } from "./header-operations.ts";
import { translateHttpMatch } from "./http-match.ts";
import { checkHttpRoute, reportLeftToEnvoy } from "./http-route-checks.ts";
import type { RegexChecks } from "./regex.ts";
import type { Findings } from "./report.ts";
import { type NameScope, translateAction } from "./route-action.ts";
import {
  BROKEN,
  translateCors,
  translateDuration,
  translateFault,
  translateRetries,
  translateRewrite,
} from "./route-modifiers.ts";

/** What a route needs to know about its VirtualService. */
export interface RouteScope extends NameScope {
  /** As written. */
  readonly gateways: readonly string[];
  readonly routing: "cluster" | "header";
  /** The VirtualService has no hosts of its own. */
  readonly isDelegate: boolean;
  readonly regexes: RegexChecks;
}

/**
 * Translates one entry of `http`. Requests of a route that can't be carried out as meant get 404: left to the routes behind it, they would
 * reach what it may have been there to keep them from.
 * Of several matches those that can't be read never match.
 * @returns null when it can't be told at all which requests it is for
 */
export function translateHttpRoute(
  spec: HTTPRoute,
  index: number,
  scope: RouteScope,
  findings: Findings,
): HttpRoute | null {
  const path = `spec.http[${index}]`;
  const isUsable = checkHttpRoute(spec, path, scope.isDelegate, findings);
  if (scope.routing === "header") reportLeftToEnvoy(spec, path, findings);
  const { regexes } = scope;
  const match = (spec.match ?? []).map((entry, i) => {
    const place = { path: `${path}.match[${i}]`, gateways: gatewaysOf(scope), regexes };
    return translateHttpMatch(entry, place, scope.namespace, findings);
  });
  const action = translateAction(spec, path, scope, findings);
  const rewrite = translateRewrite(spec.rewrite, `${path}.rewrite`, regexes, findings);
  const route = {
    index,
    name: spec.name ?? "",
    match: match.filter((entry) => entry !== null),
    ...translateHeaderOperations(spec.headers, `${path}.headers`, findings),
    timeoutMs: translateDuration(spec.timeout, `${path}.timeout`, findings),
    retries: translateRetries(spec.retries, `${path}.retries`, findings),
    fault: translateFault(spec.fault, `${path}.fault`, findings),
    cors: translateCors(spec.corsPolicy, `${path}.corsPolicy`, regexes, findings),
  };
  if (match.length > 0 && route.match.length === 0) return null;
  const isWhole = isUsable && !match.includes(null);
  if (!isWhole || action === null || rewrite === BROKEN) return { ...route, ...NOT_FOUND };
  return { ...route, action, rewrite };
}

const NOT_FOUND = {
  action: { kind: "directResponse", status: 404, body: "" },
  rewrite: null,
  fault: null,
  cors: null,
} satisfies Partial<HttpRoute>;

/** A delegate is served at the gateways of the VirtualService that names it: nothing is known of them here. */
function gatewaysOf(scope: RouteScope): readonly string[] {
  return scope.isDelegate ? ["(root)"] : scope.gateways;
}
