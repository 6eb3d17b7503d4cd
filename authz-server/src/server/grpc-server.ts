import { Server, ServerCredentials } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { CheckMetrics } from "../telemetry/metrics.ts";
import { type CheckLimits, toServerOptions } from "./check-limits.ts";
import { CHECK_SERVICE, checkImplementation } from "./check-rpc.ts";
import type { CheckHandler } from "./check-service.ts";
import { HEALTH_SERVICE, healthImplementation } from "./health-service.ts";
import { type Listening, listen } from "./listen.ts";
import type { ListenerConfig } from "./listener-identity.ts";
import type { ServingStatus } from "./serving-status.ts";

export interface CheckServerOptions {
  /** One gRPC server each; the calls of a listener carry its identity. */
  readonly listeners: readonly ListenerConfig[];
  readonly handler: CheckHandler;
  readonly status: ServingStatus;
  readonly limits: CheckLimits;
  readonly drain: DrainTimes;
  readonly metrics: Pick<CheckMetrics, "error">;
  readonly log: Logger;
}

/** How a stop goes. */
export interface DrainTimes {
  /** Milliseconds between NOT_SERVING and the first closed connection: at least two health-check intervals of Envoy. */
  readonly waitMs: number;
  /** Milliseconds that calls get to finish after that; what is left is cut. */
  readonly deadlineMs: number;
}

/** The running gRPC front. */
export interface CheckServer {
  /** In the order of `listeners`, with the ports really bound. */
  readonly addresses: readonly string[];
  /** NOT_SERVING, wait, no new connections, finish calls, cut at the deadline. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Serves Check and grpc.health.v1 over grpc-js; every other method is UNIMPLEMENTED, there is no reflection.
 * @throws {ListenError} when an address can't be bound; then none stays bound
 */
export async function startCheckServer(options: CheckServerOptions): Promise<CheckServer> {
  const fronts: Front[] = [];
  try {
    for (const listener of options.listeners) fronts.push(await startFront(listener, options));
  } catch (error) {
    await Promise.all(fronts.map((front) => closeFront(front, 0)));
    throw error;
  }
  let stopping: Promise<void> | null = null;
  return {
    addresses: fronts.map((front) => front.listening.address),
    stop() {
      stopping ??= drain(fronts, options);
      return stopping;
    },
  };
}

interface Front {
  readonly server: Server;
  readonly listening: Listening;
}

async function startFront(listener: ListenerConfig, options: CheckServerOptions): Promise<Front> {
  const server = new Server(toServerOptions(options.limits));
  const { handler, metrics, log } = options;
  server.addService(CHECK_SERVICE, checkImplementation({ handler, identity: listener.identity, metrics, log }));
  server.addService(HEALTH_SERVICE, healthImplementation(options.status));
  // The listening socket is ours, not grpc-js's: real bind errors, and connections that can be cut at the deadline.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const listening = await listen(listener.address, (socket) => injector.injectConnection(socket));
  return { server, listening };
}

async function drain(fronts: readonly Front[], options: CheckServerOptions): Promise<void> {
  options.status.drain();
  options.log.info({ waitMs: options.drain.waitMs }, "draining: told health checkers, waiting for them");
  await sleep(options.drain.waitMs);
  options.status.close();
  await Promise.all(fronts.map((front) => closeFront(front, options.drain.deadlineMs)));
}

async function closeFront(front: Front, deadlineMs: number): Promise<void> {
  const cut = setTimeout(() => front.listening.destroyConnections(), deadlineMs);
  const closed = front.listening.close();
  // Asks every client to leave. Its callback comes too early where the socket is not grpc-js's own; ours does not.
  front.server.tryShutdown(() => undefined);
  await closed;
  clearTimeout(cut);
  front.server.forceShutdown();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
