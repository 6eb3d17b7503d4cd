import type { Destination, HttpRoute } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import type { HeaderMutation, Respond } from "../decision.ts";
import { asciiLowerCase, toByteString } from "../http-request.ts";
import { applyCors, type CorsOutcome } from "./cors.ts";
import { injectFault } from "./fault.ts";
import { headerChanges } from "./header-operations.ts";
import { findVirtualHost } from "./host-match.ts";
import type { PreparedRoute } from "./prepared-route.ts";
import { httpsRedirect, redirect } from "./redirect.ts";
import type { RouteTable } from "./route-table.ts";

/** How the chosen route is told to Envoy, and what an unknown host gets. From MeshConfig. */
export interface RoutingMode {
  readonly routing: "cluster" | "header";
  readonly unmatchedHosts: "notFound" | "passthrough";
}

export const ROUTE_HEADER = "x-gatehouse-route";
export const CLUSTER_HEADER = "x-gatehouse-cluster";

/** The request goes on, changed as the route says. */
export interface Forward {
  readonly kind: "forward";
  readonly setHeaders: readonly HeaderMutation[];
  readonly removeHeaders: readonly string[];
  readonly responseHeaders: readonly HeaderMutation[];
  /** `:path` of the route's rewrite, with query; null: not rewritten. */
  readonly path: string | null;
}

const UNCHANGED: Forward = { kind: "forward", setHeaders: [], removeHeaders: [], responseHeaders: [], path: null };

/**
 * Chooses the route of a request at a gateway. One virtual host is looked at; none of its routes matching is a 404, there is no
 * second best host.
 * @param random in [0, 1), for weights and fault percentages
 */
export function chooseRoute(
  table: RouteTable,
  request: RequestAttributes,
  mode: RoutingMode,
  random: () => number,
): Forward | Respond {
  const virtualHost = findVirtualHost(table, asciiLowerCase(request.request.host));
  if (virtualHost === undefined) return mode.unmatchedHosts === "passthrough" ? UNCHANGED : notFound(null);
  if (virtualHost.httpsRedirect && asciiLowerCase(request.request.scheme) !== "https") return httpsRedirect(request);
  const chosen = virtualHost.routes.find((route) => route.matches(request));
  return chosen === undefined ? notFound(null) : takeRoute(chosen, request, mode, random);
}

function takeRoute(
  chosen: PreparedRoute,
  request: RequestAttributes,
  mode: RoutingMode,
  random: () => number,
): Forward | Respond {
  const { route } = chosen;
  const cors = applyCors(chosen.cors, request, chosen.ref);
  if (cors.kind === "respond") return cors;
  const fault = injectFault(route.fault, random, chosen.ref);
  if (fault.kind === "respond") return fault;
  switch (route.action.kind) {
    case "redirect":
      return redirect(route.action, chosen, request);
    case "directResponse":
      return {
        kind: "respond",
        status: route.action.status,
        headers: responseHeaders(route, null, cors).map(({ name, value }) => ({ name, value })),
        body: route.action.body,
        reason: "route_response",
        ref: chosen.ref,
      };
    case "delegate":
      return notFound(chosen);
    case "route": {
      const destination = pick(route.action.destinations, random);
      if (destination === undefined) return notFound(chosen);
      return forward({ chosen, destination, request, mode, cors, faultHeaders: fault.headers });
    }
  }
}

interface Forwarding {
  readonly chosen: PreparedRoute;
  readonly destination: Destination;
  readonly request: RequestAttributes;
  readonly mode: RoutingMode;
  readonly cors: CorsOutcome;
  readonly faultHeaders: readonly HeaderMutation[];
}

function forward({ chosen, destination, request, mode, cors, faultHeaders }: Forwarding): Forward {
  const { route } = chosen;
  // The user's own route does the rest: it alone knows the clusters, so rewrites and time-outs are its business too.
  if (mode.routing === "header") return { ...UNCHANGED, setHeaders: [set(ROUTE_HEADER, chosen.id)] };
  const { path, authority } = chosen.rewrite(request);
  const changes = headerChanges([route.requestHeaders, destination.requestHeaders]);
  return {
    kind: "forward",
    setHeaders: [
      set(CLUSTER_HEADER, clusterOf(destination)),
      set(ROUTE_HEADER, chosen.id),
      ...(authority === null ? [] : [set(":authority", authority)]),
      ...timeoutHeaders(route),
      ...faultHeaders,
      ...changes.set,
    ],
    removeHeaders: changes.remove,
    responseHeaders: responseHeaders(route, destination, cors),
    path,
  };
}

/** `host[:port][/subset]` */
function clusterOf({ host, port, subset }: Destination): string {
  return `${host}${port === 0 ? "" : `:${port}`}${subset === "" ? "" : `/${subset}`}`;
}

function pick(destinations: readonly Destination[], random: () => number): Destination | undefined {
  const [only] = destinations;
  if (destinations.length === 1) return only;
  const total = destinations.reduce((sum, { weight }) => sum + weight, 0);
  let left = random() * total;
  return destinations.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

function timeoutHeaders({ timeoutMs, retries }: HttpRoute): readonly HeaderMutation[] {
  const headers: HeaderMutation[] = [];
  if (timeoutMs !== null) headers.push(set("x-envoy-upstream-rq-timeout-ms", String(timeoutMs)));
  if (retries === null) return headers;
  headers.push(set("x-envoy-max-retries", String(retries.attempts)));
  if (retries.retryOn !== "") headers.push(set("x-envoy-retry-on", retries.retryOn));
  if (retries.perTryTimeoutMs > 0) {
    headers.push(set("x-envoy-upstream-rq-per-try-timeout-ms", String(retries.perTryTimeoutMs)));
  }
  return headers;
}

function responseHeaders(
  route: HttpRoute,
  destination: Destination | null,
  cors: CorsOutcome,
): readonly HeaderMutation[] {
  const operations =
    destination === null ? [route.responseHeaders] : [route.responseHeaders, destination.responseHeaders];
  return [...headerChanges(operations).set, ...(cors.kind === "headers" ? cors.headers : [])];
}

function notFound(chosen: PreparedRoute | null): Respond {
  return { kind: "respond", status: 404, headers: [], body: "", reason: "no_route", ref: chosen?.ref ?? null };
}

function set(name: string, value: string): HeaderMutation {
  return { name, value: toByteString(value), append: false };
}
