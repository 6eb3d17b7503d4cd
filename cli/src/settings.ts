import { LOG_LEVELS, type LogLevel } from "./log.ts";
import { choice, onOff, port, type SettingTable, text, texts, wholeNumber, wholeNumberOr } from "./setting.ts";

/** What every command has. */
export interface LogSettings {
  readonly logLevel: LogLevel;
}

export const logSettings: SettingTable<LogSettings> = {
  logLevel: choice("Least severe log lines that are written", LOG_LEVELS, "info"),
};

/** How requests are judged, besides the policies: MeshConfig, and what it has no field for. */
export interface EvaluationSettings {
  readonly meshConfig: string | null;
  readonly routing: "cluster" | "header";
  /** null: by `routing`. */
  readonly unmatchedHosts: "notFound" | "passthrough" | null;
  readonly strictPaths: boolean;
  readonly keysUnavailable: "401" | "503";
  readonly requireExp: boolean;
}

export const evaluationSettings: SettingTable<EvaluationSettings> = {
  meshConfig: text("File with Istio's MeshConfig in YAML (default: Istio's defaults)", "FILE", null),
  routing: choice(
    "Header that names the chosen route: x-gatehouse-cluster, or x-gatehouse-route for routes of your own",
    ["cluster", "header"],
    "cluster",
  ),
  unmatchedHosts: choice(
    "What a gateway does with a host of no VirtualService (default: notFound with --routing cluster, else passthrough)",
    ["notFound", "passthrough"],
    null,
  ),
  strictPaths: onOff("DENY if any reading of an ambiguous path matches, ALLOW only if all do"),
  keysUnavailable: choice("HTTP status for tokens whose keys could never be fetched", ["401", "503"], "401"),
  requireExp: onOff("Refuse tokens without exp: they never expire"),
};

/** How the controller reads policy. */
export interface PolicySettings extends EvaluationSettings {
  readonly allowPartial: boolean;
  readonly hostOwnership: "shared" | "first-namespace";
  readonly maxNamespaceBytes: number;
}

export const policySettings: SettingTable<PolicySettings> = {
  ...evaluationSettings,
  allowPartial: onOff("Start also when some files of the directory can't be read"),
  hostOwnership: choice(
    "Who may have routes for a host at a gateway: every namespace, or that of the oldest VirtualService",
    ["shared", "first-namespace"],
    "shared",
  ),
  maxNamespaceBytes: wholeNumber(
    "Most that the policy of one namespace may take; its newest objects are refused beyond (the root namespace has no such limit)",
    "BYTES",
    { min: 64 << 10, max: 56 << 20, default: 16 << 20 },
  ),
};

/** Where and how checks are answered. */
export interface CheckSettings {
  readonly host: string;
  readonly checkPort: number;
  readonly listen: readonly string[];
  /** null: as many as there are CPUs. */
  readonly workers: number | null;
  readonly transport: "lean" | "grpc-js";
  readonly checkTlsDir: string | null;
  readonly maxConnections: number;
  readonly maxMessageBytes: number;
  readonly drainWaitMs: number;
  readonly drainDeadlineMs: number;
}

export const checkSettings: SettingTable<CheckSettings> = {
  host: text("Address on which checks are answered", "HOST", "0.0.0.0"),
  checkPort: port("Port on which Envoy's ext_authz calls are answered, gRPC", 9001),
  listen: texts(
    "Further port bound to one workload, e.g. 9101=foo/app=httpbin,version=v1;gateways=foo/my-gateway",
    "PORT=NAMESPACE/LABELS",
  ),
  workers: wholeNumberOr(
    "Processes that answer checks, each with a cache of its own; 1: none besides this one (default: available CPUs, in a container its limit, as far as the memory goes)",
    "N",
    { min: 1, max: 256 },
  ),
  transport: choice("What carries checks: our own HTTP/2 server, or the library grpc-js", ["lean", "grpc-js"], "lean"),
  checkTlsDir: text(
    "Directory of tls.crt and tls.key for the check ports, watched; with ca.crt Envoy must show a certificate (default: no TLS)",
    "DIR",
    null,
  ),
  maxConnections: wholeNumber(
    "Connections of clients at once, in each process that answers checks; fewer where its limit of open files is lower",
    "N",
    { min: 1, max: 1_000_000, default: 10_000 },
  ),
  maxMessageBytes: wholeNumber("Largest ext_authz request in bytes, also after decompression", "BYTES", {
    min: 1024,
    max: 64 << 20,
    default: 1 << 20,
  }),
  drainWaitMs: wholeNumber(
    "Milliseconds between NOT_SERVING and closing at a stop; at least two health-check intervals of Envoy",
    "MS",
    { min: 0, max: 600_000, default: 2000 },
  ),
  drainDeadlineMs: wholeNumber("Milliseconds that calls get to finish after that", "MS", {
    min: 0,
    max: 600_000,
    default: 10_000,
  }),
};

/** Where `/healthz`, `/readyz` and `/metrics` are served. */
export interface AdminSettings {
  readonly adminHost: string;
  readonly adminPort: number;
}

/** @param defaultPort differs between the processes, so that both fit on one machine */
export function adminSettings(defaultPort: number): SettingTable<AdminSettings> {
  return {
    adminHost: text("Address of /healthz, /readyz and /metrics", "HOST", "127.0.0.1"),
    adminPort: port("Port of /healthz, /readyz and /metrics, HTTP", defaultPort),
  };
}

/** Where the controller serves policy, seen from either side. */
export const DEFAULT_XDS_ADDRESS = "127.0.0.1:9002";
