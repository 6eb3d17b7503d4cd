import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { type BackOff, DEFAULT_BACK_OFF } from "./discovery/back-off.ts";
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

/** Everything that has a default. */
export interface AuthzServerConfig {
  /** Where Envoy calls. Default: `0.0.0.0:9001`, each caller saying who it is. */
  readonly listeners: readonly ListenerConfig[];
  /** Directory of the last-good file; null keeps none. Default: null. */
  readonly dataDirectory: string | null;
  /** At most one write of the last-good file in that many milliseconds. Default: 1000. */
  readonly lastGoodIntervalMs: number;
  /** Names this server towards the controller. Default: `authz-server`. */
  readonly nodeId: string;
  /** Default: `DEFAULT_CHECK_LIMITS`. */
  readonly limits: CheckLimits;
  /** Default: 2000 ms of waiting, 10000 ms for calls to finish. */
  readonly drain: DrainTimes;
  /** Between attempts to reach the controller. Default: 100 ms doubling up to 30 s. */
  readonly backOff: BackOff;
  /** Wall clock in milliseconds since the epoch. Default: Date.now. */
  readonly nowMs: () => number;
  /** From 0 to 1. Default: Math.random. */
  readonly random: () => number;
}

export const DEFAULT_AUTHZ_SERVER_CONFIG: AuthzServerConfig = {
  listeners: [{ address: "0.0.0.0:9001", identity: null }],
  dataDirectory: null,
  lastGoodIntervalMs: 1000,
  nodeId: "authz-server",
  limits: DEFAULT_CHECK_LIMITS,
  drain: { waitMs: 2000, deadlineMs: 10_000 },
  backOff: DEFAULT_BACK_OFF,
  nowMs: Date.now,
  random: Math.random,
};
