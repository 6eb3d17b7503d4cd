import type { Duplex } from "node:stream";
import { Connection } from "./connection.ts";
import type { CutReason } from "./http2.ts";
import type { TransportLimits } from "./limits.ts";
import type { Method } from "./method.ts";

export interface LeanServerOptions {
  /** By path, `/package.Service/Method`; every other path is UNIMPLEMENTED. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly limits: TransportLimits;
  /** A connection broke a limit or the protocol and is being closed; `internal`: something here failed. */
  readonly onCut: (reason: CutReason | "internal", error: unknown) => void;
  /** A method threw; the call was answered with INTERNAL. */
  readonly onMethodError: (error: unknown) => void;
  /** In [0, 1). Default: Math.random. */
  readonly random?: () => number;
}

/** A gRPC server over sockets that somebody else accepts. */
export interface LeanServer {
  /** Serves a connected socket until it is closed. */
  accept(socket: Duplex): void;
  /** Asks every peer to leave; each connection ends with its last call. Later connections are asked at once. */
  leave(): void;
}

/** How often connections are looked at for what takes too long. */
const TICK_MS = 1000;

/**
 * A lean HTTP/2 server for gRPC (RFC 9113, and gRPC over HTTP/2), made for one task: many small calls from few, long connections.
 *
 * What arrives on a socket passes through these files, and what is answered comes back by the last:
 *
 *     frame-reader -> connection -> header-blocks -> head-reader (hpack/, request-head)
 *                              \-> calls (stream, message-reader) -> method -> output (frame-writer) -> socket
 *
 * - All that arrived together is read in one go, and all answers that are ready by then leave in one write.
 * - A header block that was seen before on the connection is not decoded again, if it cannot mean anything else now.
 * - A message that lies in one DATA frame is handed over where it lies.
 * - Headers of answers are made once, and depend on no table.
 * - Everything that a peer can make this side do or keep has a limit (`limits.ts`). A peer beyond one is cut off by GOAWAY, or its stream by
 *   RST_STREAM; neither other connections nor the process notice.
 */
export function createLeanServer(options: LeanServerOptions): LeanServer {
  const connections = new Set<Connection>();
  const { methods, limits, onCut, onMethodError } = options;
  const random = options.random ?? Math.random;
  const nowMs = (): number => performance.now();
  let ticking: NodeJS.Timeout | null = null;
  let isLeaving = false;
  const tick = (): void => {
    for (const connection of connections) connection.tick();
  };
  const closed = (connection: Connection): void => {
    connections.delete(connection);
    if (connections.size > 0 || ticking === null) return;
    clearInterval(ticking);
    ticking = null;
  };
  return {
    accept(socket) {
      const connection = new Connection({ socket, methods, limits, nowMs, random, onCut, onMethodError });
      connections.add(connection);
      socket.once("close", () => closed(connection));
      ticking ??= setInterval(tick, TICK_MS);
      if (isLeaving) connection.leave();
    },
    leave() {
      isLeaving = true;
      for (const connection of connections) connection.leave();
    },
  };
}
