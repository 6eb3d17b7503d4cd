import type { RequestAttributes } from "../authz/attributes.ts";
import type { HeaderMutation, Respond } from "../decision.ts";
import { asciiLowerCase, type HeaderLine } from "../http-request.ts";
import { hostReadings } from "../policy/host-readings.ts";
import { changeHeaders, type HeaderChanges } from "./header-operations.ts";
import { findVirtualHost } from "./host-match.ts";
import { type Forward, noRoute, type PreparedAction, type PreparedDestination, UNCHANGED } from "./prepared-action.ts";
import type { PreparedRoute } from "./prepared-route.ts";
import { httpsRedirect, type ServerPort } from "./redirect.ts";
import type { RouteTable, VirtualHost } from "./route-table.ts";

/** How the chosen route is told to Envoy, and what an unknown host gets. From MeshConfig. */
export interface RoutingMode {
  readonly routing: "cluster" | "header";
  readonly unmatchedHosts: "notFound" | "passthrough";
}

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
  const virtualHost = virtualHostOf(table, request.request.host, mode);
  if (virtualHost === undefined) return mode.unmatchedHosts === "passthrough" ? UNCHANGED : noRoute(null);
  if (virtualHost.httpsRedirect && request.request.scheme !== "https") return httpsRedirect(request);
  const chosen = virtualHost.findRoute(request);
  return chosen === undefined ? noRoute(null) : takeRoute(chosen, { request, mode, random, server: table });
}

/** What no VirtualService wants may go on without a route; a host must not get there by a dot at its end. */
export function virtualHostOf(table: RouteTable, authority: string, mode: RoutingMode): VirtualHost | undefined {
  const host = asciiLowerCase(authority);
  const found = findVirtualHost(table, host);
  if (found !== undefined || mode.unmatchedHosts === "notFound") return found;
  for (const reading of hostReadings(host)) {
    const other = findVirtualHost(table, reading);
    if (other !== undefined) return other;
  }
  return undefined;
}

interface Circumstances {
  readonly request: RequestAttributes;
  readonly mode: RoutingMode;
  readonly random: () => number;
  readonly server: ServerPort;
}

/** The order is that of Envoy's filters: fault, cors, router. CORS leaves redirects and direct responses alone. */
function takeRoute(chosen: PreparedRoute, circumstances: Circumstances): Forward | Respond {
  const { request, random, server } = circumstances;
  const fault = chosen.fault?.(random) ?? NOTHING;
  const { action } = chosen;
  if (fault.kind === "respond") return aborted(fault, action, circumstances);
  switch (action.kind) {
    case "redirect":
      return action.redirect(request, server);
    case "respond":
      return action.response;
    case "forward": {
      const cors = chosen.cors?.(request) ?? NOTHING;
      if (cors.kind === "respond") return cors;
      return forward(chosen, action, circumstances, { fault: fault.headers, cors: cors.headers });
    }
  }
}

/** An abort is given where the upstream would have answered, and gets the same response headers. */
function aborted(abort: Respond, action: PreparedAction, { mode, random }: Circumstances): Respond {
  return mode.routing === "header" ? abort : withResponseChanges(abort, changesOf(action, random));
}

/** What the route that a request would take does to response headers. Envoy does it to the refusals of its filters too. */
export function responseChangesOf(
  table: RouteTable,
  request: RequestAttributes,
  mode: RoutingMode,
  random: () => number,
): HeaderChanges | undefined {
  if (mode.routing === "header") return undefined;
  const virtualHost = virtualHostOf(table, request.request.host, mode);
  // An https redirect is a route of its own.
  if (virtualHost === undefined || (virtualHost.httpsRedirect && request.request.scheme !== "https")) return undefined;
  const chosen = virtualHost.findRoute(request);
  return chosen === undefined ? undefined : changesOf(chosen.action, random);
}

/** Redirects and direct responses give theirs to nobody else's answer. */
function changesOf(action: PreparedAction, random: () => number): HeaderChanges | undefined {
  return action.kind === "forward" ? pick(action, random)?.responseChanges : undefined;
}

/** An answer of our own with response headers changed. */
export function withResponseChanges(answer: Respond, changes: HeaderChanges | undefined): Respond {
  return changes === undefined ? answer : { ...answer, headers: changeHeaders(answer.headers, changes) };
}

const NOTHING: { readonly kind: "headers"; readonly headers: readonly [] } = { kind: "headers", headers: [] };

type ForwardAction = Extract<PreparedAction, { kind: "forward" }>;

function forward(
  chosen: PreparedRoute,
  action: ForwardAction,
  { request, mode, random }: Circumstances,
  headers: { readonly fault: readonly HeaderLine[]; readonly cors: readonly HeaderMutation[] },
): Forward | Respond {
  if (mode.routing === "header") return withResponseHeaders(action.headerMode, headers.cors);
  const destination = pick(action, random);
  if (destination === undefined) return noRoute(chosen.ref);
  const changes = rewriteOf(chosen, destination, request);
  const base = withResponseHeaders(destination.forward, headers.cors);
  if (changes === null && headers.fault.length === 0) return base;
  return {
    ...base,
    setHeaders: [...base.setHeaders, ...headers.fault, ...(changes?.setHeaders ?? [])],
    path: changes?.path ?? null,
  };
}

function withResponseHeaders(base: Forward, cors: readonly HeaderMutation[]): Forward {
  return cors.length === 0 ? base : { ...base, responseHeaders: [...base.responseHeaders, ...cors] };
}

/** New path and host, with the headers by which Envoy tells the upstream the old ones. */
function rewriteOf(
  { rewrite }: PreparedRoute,
  { authority }: PreparedDestination,
  { request, path, query }: RequestAttributes,
): { readonly path: string | null; readonly setHeaders: readonly HeaderLine[] } | null {
  const newPath = rewrite?.(path) ?? null;
  if (newPath === null && authority === null) return null;
  const setHeaders: HeaderLine[] = [];
  if (authority !== null) setHeaders.push(set(":authority", authority), set("x-envoy-original-host", request.host));
  if (newPath !== null) setHeaders.push(set("x-envoy-original-path", path + query));
  return { path: newPath === null ? null : newPath + query, setHeaders };
}

/** By weight. @returns undefined when all weights are 0 */
function pick({ destinations, totalWeight }: ForwardAction, random: () => number): PreparedDestination | undefined {
  const [only] = destinations;
  if (destinations.length === 1) return only;
  let left = random() * totalWeight;
  return destinations.find(({ weight }) => {
    left -= weight;
    return left < 0;
  });
}

function set(name: string, value: string): HeaderLine {
  return { name, value };
}
