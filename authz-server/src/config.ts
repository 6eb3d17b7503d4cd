import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { type BackOff, DEFAULT_BACK_OFF } from "./discovery/back-off.ts";
import type { Transport } from "./server/check-front.ts";
import { type CheckLimits, DEFAULT_CHECK_LIMITS } from "./server/check-limits.ts";
import type { DrainTimes } from "./server/grpc-server.ts";
import type { ListenerConfig } from "./server/listener-identity.ts";

/** What a server needs to be told. Whatever is left out has the default of `AuthzServerConfig`. */
export interface AuthzServerOptions extends Partial<AuthzServerConfig> {
  /** Where the controller serves policy: `host:port` or `unix:PATH`. It need not be up yet. */
  readonly controller: string;
  readonly log: Logger;
  readonly registry: Registry;
  /** Where records of AUDIT policies go; default: `log` with `name: "audit"`, whatever its level. */
  readonly auditLog?: Logger;
}

/** Our certificate for the controller, and what its own must be. */
export interface XdsTlsOptions {
  /** With `tls.crt`, `tls.key` and `ca.crt`. They may come later. */
  readonly directory: string;
  /** DNS name in the controller's certificate. */
  readonly serverName: string;
  /** DNS name that our own certificate must have. Default: null, whatever the controller asks for. */
  readonly clientName?: string | null;
}

/** Processes that answer checks in place of this one. */
export interface WorkersConfig {
  readonly count: number;
  /** Module that each of them runs; it calls `runCheckWorker` of `@gatehouse/authz-server/worker`. */
  readonly entry: URL;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Options of Node for it, besides those of this process. */
  readonly execArgv: readonly string[];
  /** One that does not react for that many milliseconds answers no checks either, and is killed. Default: 20000. */
  readonly hungAfterMs?: number;
}

/** Everything that has a default. */
export interface AuthzServerConfig {
  /** Where Envoy calls. Default: `0.0.0.0:9001`, each caller saying who it is. */
  readonly listeners: readonly ListenerConfig[];
  /** What carries checks: our own HTTP/2 server, or the library grpc-js. Default: lean. */
  readonly transport: Transport;
  /** Who answers checks; null: this process. Default: null. */
  readonly workers: WorkersConfig | null;
  /** Directory with `tls.crt`, `tls.key` and, if Envoy must show a certificate, `ca.crt` for the listeners; null: no TLS. Default: null. */
  readonly checkTlsDirectory: string | null;
  /** How both sides of the policy stream prove who they are; null: they do not. Default: null. */
  readonly xdsTls: XdsTlsOptions | null;
  /** Ask the controller which pod has which address, for Envoys that say `gatehouse-workload: auto`. Default: false. */
  readonly workloadIdentities: boolean;
  /** Directory of the last-good file; null keeps none. Default: null. */
  readonly dataDirectory: string | null;
  /** At most one write of the last-good file in that many milliseconds. Default: 1000. */
  readonly lastGoodIntervalMs: number;
  /**
   * How long ago the controller may last have been known to want the policy that is enforced, in milliseconds; past that nothing is
   * allowed until it is heard again. null: the last policy is enforced for good. Default: null.
   */
  readonly maxPolicyAgeMs: number | null;
  /** Names this server towards the controller. Default: `authz-server`. */
  readonly nodeId: string;
  /** Default: `DEFAULT_CHECK_LIMITS`. */
  readonly limits: CheckLimits;
  /** Connections of clients at once, in each process that answers checks; fewer where its limit of open files is lower. Default: 10000. */
  readonly maxConnections: number;
  /** Default: 2000 ms of waiting, 10000 ms for calls to finish. */
  readonly drain: DrainTimes;
  /** Between attempts to reach the controller. Default: 100 ms doubling up to 30 s. */
  readonly backOff: BackOff;
  /** Wall clock in milliseconds since the epoch. Default: Date.now. */
  readonly nowMs: () => number;
  /** A clock that never steps, in milliseconds, by which reports of unknown keys are limited. Default: performance.now. */
  readonly steadyMs: () => number;
  /** From 0 to 1. Default: Math.random. */
  readonly random: () => number;
}

export const DEFAULT_AUTHZ_SERVER_CONFIG: AuthzServerConfig = {
  listeners: [{ address: "0.0.0.0:9001", identity: null }],
  transport: "lean",
  workers: null,
  checkTlsDirectory: null,
  xdsTls: null,
  workloadIdentities: false,
  dataDirectory: null,
  lastGoodIntervalMs: 1000,
  maxPolicyAgeMs: null,
  nodeId: "authz-server",
  limits: DEFAULT_CHECK_LIMITS,
  maxConnections: 10_000, // some 200 MB
  drain: { waitMs: 2000, deadlineMs: 10_000 },
  backOff: DEFAULT_BACK_OFF,
  nowMs: Date.now,
  steadyMs: () => performance.now(),
  random: Math.random,
};
