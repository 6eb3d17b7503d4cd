import type { HttpMatch, HttpRoute, PolicyRef, VirtualService } from "@gatehouse/protos";
import { type PreparedCors, prepareCors } from "./cors.ts";
import { compileHttpMatch, isCatchAll, type RouteTest } from "./http-match.ts";
import { prepareRewrite, type Rewriter } from "./rewrite.ts";

/** A VirtualService whose matches are compiled. */
export interface PreparedVirtualService {
  readonly source: VirtualService;
  readonly ref: PolicyRef;
  /** One for each match entry of each route, in order. */
  readonly routes: readonly PreparedRoute[];
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
  readonly rewrite: Rewriter;
  readonly cors: PreparedCors | null;
}

/** Compiles a VirtualService. @throws RE2JSException for a regular expression that is not RE2 */
export function prepareVirtualService(source: VirtualService): PreparedVirtualService {
  const { kind, meta } = source;
  const ref: PolicyRef = { kind, namespace: meta.namespace, name: meta.name };
  const routes = meta.unenforceable === "" ? source.http.flatMap((route) => prepareRoute(route, ref)) : [];
  return { source, ref, routes };
}

function prepareRoute(route: HttpRoute, ref: PolicyRef): readonly PreparedRoute[] {
  const id = `${ref.namespace}/${ref.name}/${route.name === "" ? route.index : route.name}`;
  const cors = route.cors === null ? null : prepareCors(route.cors);
  const entries = route.match.length === 0 ? [null] : route.match;
  return entries.map((match) => ({
    ref,
    id,
    route,
    match,
    matches: match === null ? () => true : compileHttpMatch(match),
    isCatchAll: match === null || isCatchAll(match),
    rewrite: prepareRewrite(route.rewrite, match),
    cors,
  }));
}
