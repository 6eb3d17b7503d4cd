import type { Gateway, GatewayServer, VirtualService } from "@gatehouse/protos";
import type { Workload } from "../policy/workload.ts";
import { intersectHosts } from "./host-match.ts";
import type { PreparedRoute, PreparedVirtualService } from "./prepared-route.ts";

/** The routes of one gateway workload at one server port. */
export interface RouteTable {
  /** By host, lower case; wildcards as written (`*.foo.com`, `foo.*`, `*`). */
  readonly virtualHosts: ReadonlyMap<string, VirtualHost>;
}

export interface VirtualHost {
  /** Tried in order; the first that matches wins. */
  readonly routes: readonly PreparedRoute[];
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
  return workload.gateways.flatMap((name) => {
    const gateway = gateways.find((candidate) => nameOf(candidate) === name);
    if (gateway !== undefined) return toServed(gateway);
    return [{ gateway: name, namespace: name.split("/")[0] ?? "", server: ANY_SERVER }];
  });
}

/** Builds the table of one port. @param port of the Gateway's server */
export function buildRouteTable(
  servers: readonly ServedBy[],
  port: number,
  workload: Workload,
  virtualServices: readonly PreparedVirtualService[],
): RouteTable {
  const hosts = new Map<string, { routes: PreparedRoute[]; httpsRedirect: boolean }>();
  for (const served of servers) {
    if (served.server.port !== port && served.server.port !== 0) continue;
    for (const virtualService of visibleTo(served, virtualServices)) {
      const names = hostsAt(virtualService.source, served);
      if (names.length === 0) continue;
      const routes = reachableRoutes(virtualService, served, port, workload);
      for (const name of names) {
        const host = hosts.get(name) ?? { routes: [], httpsRedirect: served.server.httpsRedirect };
        host.routes.push(...routes);
        hosts.set(name, host);
      }
    }
  }
  const virtualHosts = new Map<string, VirtualHost>();
  for (const [name, host] of hosts) virtualHosts.set(name, { ...host, routes: catchAllsLast(host.routes) });
  return { virtualHosts };
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

/** The VirtualServices bound to a gateway and exported to its namespace: its own private ones first, then those meant for it, then the public. */
function visibleTo(served: ServedBy, all: readonly PreparedVirtualService[]): readonly PreparedVirtualService[] {
  const tiers: [PreparedVirtualService[], PreparedVirtualService[], PreparedVirtualService[]] = [[], [], []];
  for (const virtualService of all) {
    const { gateways } = virtualService.source;
    const isBound = gateways.includes(served.gateway) || isBoundByMatch(virtualService.source, served.gateway);
    if (!isBound) continue;
    const tier = visibility(virtualService.source, served.namespace);
    if (tier !== null) tiers[tier].push(virtualService);
  }
  return tiers.flat();
}

function isBoundByMatch(source: VirtualService, gateway: string): boolean {
  return source.http.some((route) => route.match.some((match) => match.gateways.includes(gateway)));
}

function visibility({ exportTo, meta }: VirtualService, namespace: string): 0 | 1 | 2 | null {
  if (exportTo.length === 0 || exportTo.includes("*")) return 2;
  if (exportTo.includes(".") && meta.namespace === namespace) return 0;
  return exportTo.includes(namespace) ? 1 : null;
}

function hostsAt(source: VirtualService, { server, namespace }: ServedBy): readonly string[] {
  const names = new Set<string>();
  for (const entry of server.hosts) {
    const slash = entry.indexOf("/");
    const wanted = slash < 0 ? "*" : entry.slice(0, slash);
    if (wanted !== "*" && (wanted === "." ? namespace : wanted) !== source.meta.namespace) continue;
    for (const host of source.hosts) {
      const common = intersectHosts(entry.slice(slash + 1), host);
      if (common !== undefined) names.add(common);
    }
  }
  return [...names];
}

/** The routes that this gateway and port let through, up to the first that takes every request. */
function reachableRoutes(
  virtualService: PreparedVirtualService,
  served: ServedBy,
  port: number,
  workload: Workload,
): readonly PreparedRoute[] {
  const routes: PreparedRoute[] = [];
  for (const route of virtualService.routes) {
    if (!isOffered(route, virtualService.source, { served, port, workload })) continue;
    routes.push(route);
    if (route.isCatchAll) break;
  }
  return routes;
}

interface Place {
  readonly served: ServedBy;
  readonly port: number;
  readonly workload: Workload;
}

function isOffered({ match }: PreparedRoute, source: VirtualService, { served, port, workload }: Place): boolean {
  if (match === null) return source.gateways.includes(served.gateway);
  if (match.port !== 0 && match.port !== port) return false;
  if (match.gateways.length > 0) return match.gateways.includes(served.gateway);
  if (!source.gateways.includes(served.gateway)) return false;
  if (match.sourceNamespace !== "" && match.sourceNamespace !== workload.namespace) return false;
  return match.sourceLabels.every(({ name, value }) => workload.labels.get(name) === value);
}

function catchAllsLast(routes: readonly PreparedRoute[]): readonly PreparedRoute[] {
  return [...routes.filter((route) => !route.isCatchAll), ...routes.filter((route) => route.isCatchAll)];
}
