import type { HttpMatch, HttpRoute, PolicyRef, VirtualService } from "@gatehouse/protos";
import { type CorsFilter, prepareCors } from "./cors.ts";
import { type FaultInjector, prepareFault } from "./fault.ts";
import { compileHttpMatch, isCatchAll, type RouteTest } from "./http-match.ts";
import { type PreparedAction, prepareAction } from "./prepared-action.ts";
import { type PathRewriter, prepareRewrite } from "./rewrite.ts";

/** A VirtualService whose matches and actions are compiled. */
export interface PreparedVirtualService {
  readonly source: VirtualService;
  readonly ref: PolicyRef;
  /** One for each match entry of each route, in order. */
  readonly routes: readonly PreparedRoute[];
  /** Its hosts are served even where it has no route. */
  readonly keepsHosts: boolean;
}

/** One way into a route. */
export interface PreparedRoute {
  readonly ref: PolicyRef;
  /** `namespace/virtualservice/name-or-index`, the value of x-gatehouse-route. */
  readonly id: string;
  readonly route: HttpRoute;
  /** null: the route has no match entries. */
  readonly match: HttpMatch | null;
  readonly matches: RouteTest;
  readonly isCatchAll: boolean;
  readonly fault: FaultInjector | null;
  readonly cors: CorsFilter | null;
  readonly rewrite: PathRewriter | null;
  readonly action: PreparedAction;
}

/** A route and the last part of its id. */
export interface LabelledRoute {
  readonly route: HttpRoute;
  readonly label: string;
}

/** Compiles a VirtualService. @throws RE2JSException for a regular expression that is not RE2 */
export function prepareVirtualService(source: VirtualService): PreparedVirtualService {
  const isUnenforceable = source.meta.unenforceable !== "";
  const routes = isUnenforceable ? [] : source.http.map((route) => ({ route, label: labelOf(route) }));
  return prepareRoutes(source, routes, source.keepsHosts || isUnenforceable);
}

/** Compiles the routes that a VirtualService serves, be they its own or those of delegates. @throws RE2JSException */
export function prepareRoutes(
  source: VirtualService,
  routes: readonly LabelledRoute[],
  keepsHosts: boolean,
): PreparedVirtualService {
  const { kind, meta } = source;
  const ref: PolicyRef = { kind, namespace: meta.namespace, name: meta.name };
  return { source, ref, keepsHosts, routes: routes.flatMap((labelled) => prepareRoute(labelled, ref)) };
}

/** What names a route within its VirtualService. */
export function labelOf({ name, index }: HttpRoute): string {
  return name === "" ? String(index) : name;
}

function prepareRoute({ route, label }: LabelledRoute, ref: PolicyRef): readonly PreparedRoute[] {
  const id = `${ref.namespace}/${ref.name}/${label}`;
  const common = {
    ref,
    id,
    route,
    fault: prepareFault(route.fault, ref),
    cors: route.cors === null ? null : prepareCors(route.cors, ref),
    action: prepareAction(route, id, ref),
  };
  const entries = route.match.length === 0 ? [null] : route.match;
  return entries.map((match) => ({
    ...common,
    match,
    matches: match === null ? () => true : compileHttpMatch(match),
    isCatchAll: match === null || isCatchAll(match),
    rewrite: prepareRewrite(route.rewrite, match),
  }));
}
