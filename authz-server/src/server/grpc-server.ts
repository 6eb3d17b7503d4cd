import type { CheckFront, CheckFrontOptions, Transport } from "./check-front.ts";
import { type CheckTls, type ConnectionGate, createConnectionGate } from "./check-tls.ts";
import { createGrpcJsFront } from "./grpc-js-front.ts";
import { createLeanFront } from "./lean-front.ts";
import { type Listen, type Listening, listen } from "./listen.ts";
import type { ListenerConfig } from "./listener-identity.ts";

export interface CheckServerOptions extends Omit<CheckFrontOptions, "identity"> {
  readonly transport: Transport;
  /** One gRPC server each; the calls of a listener carry its identity. */
  readonly listeners: readonly ListenerConfig[];
  readonly drain: DrainTimes;
  /** Left out: connections are not encrypted. */
  readonly tls?: CheckTls | null;
  /** Where connections come from. Default: from sockets of our own. */
  readonly listen?: Listen;
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
  /** NOT_SERVING, wait, no new connections, finish calls, cut at the deadline. Safe to call twice. @param times default: as in the options */
  stop(times?: DrainTimes): Promise<void>;
}

/**
 * Serves Check and grpc.health.v1; every other method is UNIMPLEMENTED, there is no reflection.
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
    stop(times = options.drain) {
      stopping ??= drain(fronts, times, options);
      return stopping;
    },
  };
}

interface Front {
  readonly transport: CheckFront;
  readonly listening: Listening;
  readonly gate: ConnectionGate;
}

async function startFront({ address, identity }: ListenerConfig, options: CheckServerOptions): Promise<Front> {
  const transport = createFront(options.transport)({ ...options, identity });
  // The listening socket is ours: real bind errors, and connections that can be cut at the deadline.
  const gate = createConnectionGate(options.tls ?? null, (socket) => transport.accept(socket));
  const listening = await (options.listen ?? listen)(address, (socket) => gate.accept(socket));
  return { transport, listening, gate };
}

function createFront(transport: Transport): (options: CheckFrontOptions) => CheckFront {
  switch (transport) {
    case "lean":
      return createLeanFront;
    case "grpc-js":
      return createGrpcJsFront;
  }
}

async function drain(fronts: readonly Front[], times: DrainTimes, options: CheckServerOptions): Promise<void> {
  options.status.drain();
  options.log.info({ waitMs: times.waitMs }, "draining: told health checkers, waiting for them");
  await sleep(times.waitMs);
  options.status.close();
  await Promise.all(fronts.map((front) => closeFront(front, times.deadlineMs)));
}

async function closeFront(front: Front, deadlineMs: number): Promise<void> {
  const cut = setTimeout(() => front.listening.destroyConnections(), deadlineMs);
  const closed = front.listening.close();
  front.gate.stop();
  front.transport.leave();
  await closed;
  clearTimeout(cut);
  front.transport.end();
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
