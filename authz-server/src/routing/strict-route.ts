import type { RequestAttributes } from "../authz/attributes.ts";
import { pathReadings } from "../policy/path-readings.ts";
import { type RoutingMode, virtualHostOf } from "./route.ts";
import type { RouteTable } from "./route-table.ts";

/**
 * Whether all readings of a request's path lead to one route, for `strictPaths`. If not, its route says nothing about what the upstream
 * will serve.
 * @param readings the path itself first
 */
export function leadToOneRoute(table: RouteTable, readings: readonly RequestAttributes[], mode: RoutingMode): boolean {
  const [first, ...others] = readings;
  if (first === undefined || others.length === 0) return true;
  const virtualHost = virtualHostOf(table, first.request.host, mode);
  const routeOf = (reading: RequestAttributes) => virtualHost?.findRoute(reading)?.route;
  const route = routeOf(first);
  return others.every((reading) => routeOf(reading) === route);
}

/**
 * Whether an upstream might climb out of where a rewrite puts a path: prefix `/static` rewritten to `/files/` makes `/files/../x` of
 * `/static../x`.
 * @param path with its query
 */
export function climbsOut(path: string): boolean {
  const [withoutQuery = ""] = path.split("?", 1);
  return pathReadings(withoutQuery).some((reading) => DOT_SEGMENT.test(reading));
}

const DOT_SEGMENT = /(?:^|\/)\.\.?(?:\/|$)/;
