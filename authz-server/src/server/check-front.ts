import type { Socket } from "node:net";
import type { Logger } from "pino";
import type { CheckMetrics } from "../telemetry/metrics.ts";
import type { CheckLimits } from "./check-limits.ts";
import type { CheckHandler } from "./check-service.ts";
import type { ListenerIdentity } from "./listener-identity.ts";
import type { ServingStatus } from "./serving-status.ts";

/** What carries checks: our own HTTP/2 server, or the library. Both behave alike (check-server.contract.ts). */
export type Transport = "lean" | "grpc-js";

/** A transport at one listener. The listening socket is not its own. */
export interface CheckFront {
  /** Serves a connected socket until it is closed. */
  accept(socket: Socket): void;
  /** Asks every client to leave; a connection ends with its last call. */
  leave(): void;
  /** All connections are gone; ends what is left. */
  end(): void;
}

/** What a transport needs. */
export interface CheckFrontOptions {
  readonly handler: CheckHandler;
  /** Of the listener. */
  readonly identity: ListenerIdentity | null;
  readonly status: ServingStatus;
  readonly limits: CheckLimits;
  readonly metrics: Pick<CheckMetrics, "error" | "connectionCut">;
  readonly log: Logger;
}
