import { type Gateway, GatewayHosts, type GatewayServer, HostPatterns, type VirtualService } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import { MatchIndex } from "../policy/match-index.ts";
import type { Workload } from "../policy/workload.ts";
import { compileHosts, type HostFinder } from "./host-match.ts";
import type { PreparedRoute, PreparedVirtualService } from "./prepared-route.ts";
import { partsOfRoute } from "./route-keys.ts";

/** The routes of one gateway workload at one server port. */
export interface RouteTable {
  /** Of the Gateway's server. */
  readonly port: number;
  /** By host, lower case; wildcards as written (`*.foo.com`, `foo.*`, `*`). */
  readonly virtualHosts: ReadonlyMap<string, VirtualHost>;
  readonly findHost: HostFinder<VirtualHost>;
  /** Some route looks at single header lines. */
  readonly needsRawHeaders: boolean;
  /** Some route does something to response headers. */
  readonly changesResponses: boolean;
}

export interface VirtualHost {
  /** Tried in order; the first that matches wins. */
  readonly routes: readonly PreparedRoute[];
  /** The first of them that matches. */
  readonly findRoute: (request: RequestAttributes) => PreparedRoute | undefined;
  /** Plain requests are sent to https before any route is looked at. */
  readonly httpsRedirect: boolean;
}

/** What a workload serves, gathered from all namespaces. */
export interface RoutingSources {
  readonly gateways: readonly Gateway[];
  /** Oldest first, then by name and namespace. */
  readonly virtualServices: readonly PreparedVirtualService[];
}

/** One server of one gateway of the workload; `port` 0 stands for every port. */
export interface ServedBy {
  readonly gateway: string;
  readonly namespace: string;
  readonly server: GatewayServer;
}

/**
 * The servers of a workload: those of the Gateways it names, or of those whose selector fits. A named gateway without a Gateway object
 * serves all hosts at all ports.
 * @returns null when the workload is no gateway
 */
export function serversOf(workload: Workload, gateways: readonly Gateway[]): readonly ServedBy[] | null {
  if (workload.gateways === null) {
    const selected = gateways.filter((gateway) => isSelected(gateway, workload));
    return selected.length === 0 ? null : selected.flatMap(toServed);
  }
  // In the order of the Gateways, not of the names: Istio merges the oldest first.
  const stated = new Set(workload.gateways);
  const known = gateways.filter((gateway) => stated.has(nameOf(gateway)));
  for (const gateway of known) stated.delete(nameOf(gateway));
  const withoutObject = (name: string): ServedBy => ({
    gateway: name,
    namespace: name.split("/")[0] ?? "",
    server: ANY_SERVER,
  });
  return [...known.flatMap(toServed), ...[...stated].map(withoutObject)];
}

/** Builds the table of one port. @param port of the Gateway's server */
export function buildRouteTable(
  servers: readonly ServedBy[],
  port: number,
  workload: Workload,
  virtualServices: readonly PreparedVirtualService[],
): RouteTable {
  const hosts: GatheredHosts = new Map();
  const refused = new Set<string>();
  for (const served of servers) {
    const { server } = served;
    if ((server.port !== port && server.port !== 0) || !isHttp(server)) continue;
    for (const virtualService of visibleTo(served, workload, virtualServices)) {
      gather(virtualService, { served, port, workload }, hosts, refused);
    }
    if (server.httpsRedirect) for (const name of hostsForAll(server)) hostNamed(hosts, name).httpsRedirect = true;
  }
  for (const name of without(refused, hosts)) hostNamed(hosts, name);
  const virtualHosts = new Map<string, VirtualHost>();
  for (const [name, host] of hosts) {
    const routes = catchAllsLast(host.routes);
    virtualHosts.set(name, { ...host, routes, findRoute: routeFinder(routes) });
  }
  const has = (is: (route: PreparedRoute) => boolean) => [...hosts.values()].some(({ routes }) => routes.some(is));
  return {
    port,
    virtualHosts,
    findHost: compileHosts(virtualHosts),
    needsRawHeaders: has(looksAtHeaders),
    changesResponses: has(changesResponse),
  };
}

interface GatheredHost {
  readonly routes: PreparedRoute[];
  httpsRedirect: boolean;
}

type GatheredHosts = Map<string, GatheredHost>;

/** Adds what a VirtualService has for one server of a gateway. @param refused takes the hosts that it may not use there */
function gather(
  virtualService: PreparedVirtualService,
  place: Place,
  hosts: GatheredHosts,
  refused: Set<string>,
): void {
  const routes = reachableRoutes(virtualService, place);
  if (routes.length === 0 && !virtualService.keepsHosts) return;
  for (const name of hostsAt(virtualService.source, place.served, refused)) {
    const host = hostNamed(hosts, name);
    host.routes.push(...routes);
    host.httpsRedirect ||= place.served.server.httpsRedirect;
  }
}

function hostNamed(hosts: GatheredHosts, name: string): GatheredHost {
  const host = hosts.get(name) ?? { routes: [], httpsRedirect: false };
  hosts.set(name, host);
  return host;
}

/** Those that nobody has, not even by a wider name: their owner is not to be seen from here. */
function without(refused: ReadonlySet<string>, hosts: ReadonlyMap<string, unknown>): readonly string[] {
  const findOwner = compileHosts(hosts);
  return [...refused].filter((name) => findOwner(name) === undefined);
}

function routeFinder(routes: readonly PreparedRoute[]): VirtualHost["findRoute"] {
  const candidates = routes.map((route, order) => ({ order, route, matches: route.matches }));
  const index = new MatchIndex(candidates, { partsOf: ({ route }) => partsOfRoute(route.match), weightOf: () => 1 });
  return (request) => index.first(request, routes.length, NONE)?.route;
}

const NONE: ReadonlySet<never> = new Set<never>();

function looksAtHeaders({ match }: PreparedRoute): boolean {
  return match !== null && match.headers.length + match.withoutHeaders.length > 0;
}

function changesResponse({ action }: PreparedRoute): boolean {
  if (action.kind !== "forward") return false;
  return action.destinations.some(({ responseChanges: { set, remove } }) => set.length + remove.length > 0);
}

const ANY_SERVER: GatewayServer = { port: 0, protocol: "HTTP", hosts: ["*"], httpsRedirect: false };

// A Gateway without selector would make every sidecar a gateway; in Istio it only reaches proxies that are gateways already.
function isSelected(gateway: Gateway, workload: Workload): boolean {
  return (
    gateway.selector.length > 0 && gateway.selector.every(({ name, value }) => workload.labels.get(name) === value)
  );
}

function toServed(gateway: Gateway): readonly ServedBy[] {
  return gateway.servers.map((server) => ({ gateway: nameOf(gateway), namespace: gateway.meta.namespace, server }));
}

function nameOf(gateway: Gateway): string {
  return `${gateway.meta.namespace}/${gateway.meta.name}`;
}

/** Connections of other protocols carry no requests that Envoy would ask about. */
function isHttp({ protocol }: GatewayServer): boolean {
  return !["TCP", "TLS", "MONGO", "MYSQL", "REDIS"].includes(protocol);
}

/** The hosts that a server redirects to https whether or not a VirtualService has them; Istio leaves out those of one namespace. */
function hostsForAll({ hosts }: GatewayServer): readonly string[] {
  return hosts.filter((host) => !host.includes("/") || host.startsWith("*/")).map((host) => host.replace("*/", ""));
}

/**
 * The VirtualServices bound to a gateway and exported to the workload's namespace: its own private ones first, then those meant for it,
 * then the public.
 */
function visibleTo(
  served: ServedBy,
  { namespace }: Workload,
  all: readonly PreparedVirtualService[],
): readonly PreparedVirtualService[] {
  const tiers: [PreparedVirtualService[], PreparedVirtualService[], PreparedVirtualService[]] = [[], [], []];
  for (const virtualService of all) {
    if (!virtualService.source.gateways.includes(served.gateway)) continue;
    const tier = visibility(virtualService.source, namespace);
    if (tier !== null) tiers[tier].push(virtualService);
  }
  return tiers.flat();
}

function visibility({ exportTo, meta }: VirtualService, namespace: string): 0 | 1 | 2 | null {
  if (exportTo.length === 0 || exportTo.includes("*")) return 2;
  if (exportTo.includes("~")) return null;
  if (meta.namespace === namespace && (exportTo.includes(".") || exportTo.includes(namespace))) return 0;
  return exportTo.includes(namespace) ? 1 : null;
}

/** @param refused takes those that the VirtualService has and may not use */
function hostsAt(source: VirtualService, served: ServedBy, refused: Set<string>): readonly string[] {
  const names = new Set(offeredBy(served).commonWith(wantedBy(source), source.meta.namespace));
  for (const { gateway, host } of source.refusedHosts) {
    if (gateway === served.gateway && names.delete(host)) refused.add(host);
  }
  return [...names];
}

/** Indexed once: one server can offer thousands of hosts, and one VirtualService want as many at thousands of servers. */
const offered = new WeakMap<GatewayServer, GatewayHosts>();
const wanted = new WeakMap<VirtualService, HostPatterns<undefined>>();

function offeredBy({ server, namespace }: ServedBy): GatewayHosts {
  const hosts = offered.get(server) ?? new GatewayHosts(server.hosts, namespace);
  offered.set(server, hosts);
  return hosts;
}

function wantedBy(source: VirtualService): HostPatterns<undefined> {
  const hosts = wanted.get(source) ?? new HostPatterns(source.hosts.map((host) => [host, undefined]));
  wanted.set(source, hosts);
  return hosts;
}

interface Place {
  readonly served: ServedBy;
  readonly port: number;
  readonly workload: Workload;
}

/** The routes that this gateway and port let through, up to the first that takes every request. */
function reachableRoutes(virtualService: PreparedVirtualService, place: Place): readonly PreparedRoute[] {
  const routes: PreparedRoute[] = [];
  for (const route of virtualService.routes) {
    if (!isOffered(route, place)) continue;
    routes.push(route);
    if (route.isCatchAll) break;
  }
  return routes;
}

function isOffered({ match }: PreparedRoute, { served, port, workload }: Place): boolean {
  if (match === null) return true;
  if (match.port !== 0 && match.port !== port) return false;
  if (match.gateways.length > 0) return match.gateways.includes(served.gateway);
  if (match.sourceNamespace !== "" && match.sourceNamespace !== workload.namespace) return false;
  return match.sourceLabels.every(({ name, value }) => workload.labels.get(name) === value);
}

function catchAllsLast(routes: readonly PreparedRoute[]): readonly PreparedRoute[] {
  return [...routes.filter((route) => !route.isCatchAll), ...routes.filter((route) => route.isCatchAll)];
}
