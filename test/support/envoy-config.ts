import { readFileSync } from "node:fs";
import { type Document, parseDocument } from "yaml";
import type { EnvoyBootstrap } from "./envoy.ts";

/** The shipped files of deploy/envoy. */
export type EnvoyProfile = "istio-gateway" | "istio-sidecar" | "hardened" | "hardened-header";

/** One listener of a test Envoy: the shipped profile with these values in place of the example's. */
export interface TestListener {
  /** Unique; ask `EnvoyProcess.listenerPort(name)` for the port. */
  readonly name: string;
  /** The file it is taken from. Hardened and Istio profiles differ in settings of the process and can't share an Envoy. */
  readonly profile: EnvoyProfile;
  readonly identity: TestIdentity;
  /** Default 0: chosen by the system. */
  readonly port?: number;
  /** Default: as shipped. Sets normalize_path, merge_slashes and path_with_escaped_slashes_action as the files' comment says. */
  readonly pathNormalization?: keyof typeof PATH_SETTINGS;
  /** xff_num_trusted_hops, for gateways; default: as shipped (0). */
  readonly numTrustedProxies?: number;
  /** Requests may start with a PROXY protocol header (`RawRequest.proxy`); those without one are served too. */
  readonly proxyProtocol?: boolean;
  /** For `istio-sidecar`: the cluster of the local application. Default: the first of `clusters`. */
  readonly localCluster?: string;
}

/** What the Envoy says about itself in gRPC metadata. */
export interface TestIdentity {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `namespace/name`; omitted for a sidecar. */
  readonly gateways?: readonly string[];
  readonly serverPort?: number;
}

/** Parts of a test Envoy. */
export interface TestEnvoyConfig {
  readonly authzPort: number;
  /** `transport_socket` of the authz-server's cluster. Default: none, no TLS. */
  readonly authzTransportSocket?: object;
  /** At least one. */
  readonly listeners: readonly TestListener[];
  /** Cluster name, e.g. `httpbin.foo.svc.cluster.local:8000/v1`, to a port on 127.0.0.1. At least one. */
  readonly clusters: ReadonlyMap<string, number>;
  /** Time for one check. Default 10 s, because a loaded test machine is slower than the 0.5 s that is shipped. */
  readonly checkTimeoutMs?: number;
}

/** A bootstrap made from the shipped files, with free ports. Throws when a shipped file has lost a setting that is replaced here. */
export function buildEnvoyBootstrap(config: TestEnvoyConfig): EnvoyBootstrap {
  const [first] = config.listeners;
  if (first === undefined) throw new Error("a test Envoy needs a listener");
  const base = readProfile(first.profile);
  const authzServer = gatehouseCluster(base, config.authzPort);
  const { authzTransportSocket: transportSocket } = config;
  const clusters = [
    transportSocket === undefined ? authzServer : { ...authzServer, transport_socket: transportSocket },
  ];
  for (const [name, port] of config.clusters) clusters.push(upstreamCluster(base, name, port));
  const isHardened = first.profile.startsWith("hardened");
  if (config.listeners.some(({ profile }) => profile.startsWith("hardened") !== isHardened)) {
    throw new Error("hardened and Istio profiles can't share an Envoy");
  }
  replace(base, ["admin", "address", "socket_address", "port_value"], 0);
  replace(
    base,
    ["static_resources", "listeners"],
    config.listeners.map((listener) => buildListener(listener, config)),
  );
  replace(base, ["static_resources", "clusters"], clusters);
  return base.toJS();
}

/** The shipped file of a profile, as text. */
export function profileFile(profile: EnvoyProfile): URL {
  return new URL(`../../deploy/envoy/${profile}.yaml`, import.meta.url);
}

const PATH_SETTINGS = {
  NONE: { normalize: false, merge: false, escapedSlashes: "KEEP_UNCHANGED" },
  BASE: { normalize: true, merge: false, escapedSlashes: "KEEP_UNCHANGED" },
  MERGE_SLASHES: { normalize: true, merge: true, escapedSlashes: "KEEP_UNCHANGED" },
  DECODE_AND_MERGE_SLASHES: { normalize: true, merge: true, escapedSlashes: "UNESCAPE_AND_FORWARD" },
} as const;

type Path = readonly (string | number)[];

const LISTENER: Path = ["static_resources", "listeners", 0];
const CONNECTION_MANAGER: Path = [...LISTENER, "filter_chains", 0, "filters", 0, "typed_config"];
const CHECK: Path = [...CONNECTION_MANAGER, "http_filters", 0, "typed_config", "grpc_service"];
const FIRST_ROUTE: Path = [...CONNECTION_MANAGER, "route_config", "virtual_hosts", 0, "routes", 0];
const ENDPOINT_PORT: Path = [
  ...["load_assignment", "endpoints", 0, "lb_endpoints", 0],
  ...["endpoint", "address", "socket_address", "port_value"],
];

function readProfile(profile: EnvoyProfile): Document {
  return parseDocument(readFileSync(profileFile(profile), "utf8"));
}

function gatehouseCluster(base: Document, port: number): object {
  const path = ["static_resources", "clusters", 0];
  replace(base, [...path, ...ENDPOINT_PORT], port);
  return base.toJS().static_resources.clusters[0];
}

function upstreamCluster(base: Document, name: string, port: number): object {
  const path = ["static_resources", "clusters", 1];
  replace(base, [...path, "name"], name);
  replace(base, [...path, "load_assignment", "cluster_name"], name);
  replace(base, [...path, ...ENDPOINT_PORT], port);
  return base.toJS().static_resources.clusters[1];
}

function buildListener(listener: TestListener, config: TestEnvoyConfig): unknown {
  const profile = readProfile(listener.profile);
  replace(profile, [...LISTENER, "name"], listener.name);
  replace(profile, [...LISTENER, "address", "socket_address", "address"], "127.0.0.1");
  replace(profile, [...LISTENER, "address", "socket_address", "port_value"], listener.port ?? 0);
  const checkTimeout = `${(config.checkTimeoutMs ?? 10_000) / 1000}s`;
  replace(profile, [...CHECK, "timeout"], checkTimeout);
  replace(profile, [...CHECK, "retry_policy", "retry_back_off", "max_interval"], checkTimeout);
  replace(profile, [...CHECK, "initial_metadata"], metadata(listener.identity));
  if (listener.numTrustedProxies !== undefined) {
    replace(profile, [...CONNECTION_MANAGER, "xff_num_trusted_hops"], listener.numTrustedProxies);
  }
  if (listener.pathNormalization !== undefined) {
    const settings = PATH_SETTINGS[listener.pathNormalization];
    replace(profile, [...CONNECTION_MANAGER, "normalize_path"], settings.normalize);
    replace(profile, [...CONNECTION_MANAGER, "merge_slashes"], settings.merge);
    replace(profile, [...CONNECTION_MANAGER, "path_with_escaped_slashes_action"], settings.escapedSlashes);
  }
  if (listener.profile === "istio-sidecar") {
    const cluster = listener.localCluster ?? config.clusters.keys().next().value;
    if (cluster === undefined) throw new Error("a sidecar needs a cluster");
    replace(profile, [...FIRST_ROUTE, "route", "cluster"], cluster);
  }
  const built = profile.toJS().static_resources.listeners[0];
  return listener.proxyProtocol === true ? { ...built, listener_filters: [PROXY_PROTOCOL] } : built;
}

const PROXY_PROTOCOL = {
  name: "envoy.filters.listener.proxy_protocol",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
    allow_requests_without_proxy_protocol: true,
  },
};

function metadata(identity: TestIdentity): readonly { readonly key: string; readonly value: string }[] {
  const labels = Object.entries(identity.labels).map(([name, value]) => `${name}=${value}`);
  const entries = [
    { key: "gatehouse-namespace", value: identity.namespace },
    { key: "gatehouse-labels", value: labels.join(",") },
    { key: "gatehouse-gateways", value: identity.gateways?.join(",") ?? "" },
    { key: "gatehouse-server-port", value: identity.serverPort?.toString() ?? "" },
  ];
  // Values are format strings in Envoy.
  return entries
    .filter(({ value }) => value !== "")
    .map(({ key, value }) => ({ key, value: value.replace(/%/g, "%%") }));
}

/** Sets a value where the shipped file has one; anything else would test a configuration that nobody ships. */
function replace(document: Document, path: Path, value: unknown): void {
  if (!document.hasIn(path)) throw new Error(`the shipped Envoy configuration has no ${path.join(".")}`);
  document.setIn(path, document.createNode(value));
}
