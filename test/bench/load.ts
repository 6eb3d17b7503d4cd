import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type Arrivals, CallSource } from "./call-source.ts";

/** Where the calls go. */
export interface Load extends Arrivals {
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly port: number;
  readonly connections: number;
}

/** What a load generator did. */
export interface LoadResult {
  readonly requests: number;
  readonly elapsedMs: number;
  /** The distinct sizes of answers; more than one means that not all requests were answered alike. */
  readonly answerSizes: readonly number[];
  /** From the time at which each request was due to its answer, in ascending order. */
  readonly latenciesMs: Float64Array;
}

/** The protocol of one connection. */
export interface LoadConnection {
  /** All calls that it has made are answered. */
  readonly isIdle: boolean;
  /** Makes the calls that are due and have a place. */
  fill(): void;
  /**
   * Takes what has arrived.
   * @returns how many bytes it is done with; the others come again, with those that follow
   * @throws when a call is not answered as it should be
   */
  read(bytes: Buffer): number;
}

/** Makes the calls and waits for all answers. Rejects when one is wrong, or the connection ends. */
export async function runLoad(
  load: Load,
  speak: (socket: Socket, source: CallSource) => LoadConnection,
): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load)));
  const startedAtMs = performance.now();
  const source = new CallSource(load);
  const running = sockets.map((socket) => keepBusy(socket, source, speak(socket, source)));
  source.drive(() => {
    for (const { fill } of running) fill();
  });
  await Promise.all(running.map(({ finished }) => finished));
  const elapsedMs = performance.now() - startedAtMs;
  for (const socket of sockets) socket.destroy();
  const latenciesMs = source.latenciesMs();
  return { requests: latenciesMs.length, elapsedMs, answerSizes: source.answerSizes(), latenciesMs };
}

async function open({ host = "127.0.0.1", port }: Load): Promise<Socket> {
  const socket = connect(port, host);
  socket.setNoDelay(true);
  await once(socket, "connect");
  return socket;
}

/** A server that is silent for so long will not answer any more. */
const SILENCE_MS = 20_000;

function keepBusy(
  socket: Socket,
  source: CallSource,
  connection: LoadConnection,
): { readonly fill: () => void; readonly finished: Promise<void> } {
  const { promise: finished, resolve, reject } = Promise.withResolvers<void>();
  let unread: Buffer = Buffer.alloc(0);
  const fill = (): void => {
    connection.fill();
    if (connection.isIdle && source.isEmpty) resolve();
  };
  socket.on("error", reject);
  socket.setTimeout(SILENCE_MS, () => reject(new Error(`the server said nothing for ${SILENCE_MS} ms`)));
  socket.on("close", () => reject(new Error("the server closed the connection under load")));
  socket.on("data", (bytes: Buffer) => {
    try {
      const all = unread.length === 0 ? bytes : Buffer.concat([unread, bytes]);
      unread = all.subarray(connection.read(all));
      fill();
    } catch (error) {
      reject(error);
    }
  });
  fill();
  return { fill, finished };
}
