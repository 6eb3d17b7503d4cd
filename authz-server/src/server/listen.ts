import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";

/** A bound listening socket together with the connections it has accepted. */
export interface Listening {
  /** As given, with the port that was really bound: `127.0.0.1:41234`, `unix:/run/x.sock`. */
  readonly address: string;
  /** Accepts no more connections; resolves when those that exist have ended by themselves or were cut. */
  close(): Promise<void>;
  /** Cuts every connection that is still open. */
  destroyConnections(): void;
}

/** A listening address could not be bound. The message is one line for the user. */
export class ListenError extends Error {
  readonly code: "listen_failed" = "listen_failed";
  /** The address that could not be bound. */
  readonly address: string;

  constructor(address: string, why: string, options?: ErrorOptions) {
    super(`cannot listen on ${address}: ${why}`, options);
    this.name = "ListenError";
    this.address = address;
  }
}

/**
 * Brings the connections to an address.
 * @param address `host:port`, `[v6]:port` or `unix:PATH`
 * @param onConnection gets each accepted connection
 * @throws {ListenError}
 */
export type Listen = (address: string, onConnection: (socket: Socket) => void) => Promise<Listening>;

/** Listens on a socket of our own. */
export const listen: Listen = async (address, onConnection) => {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    // Without a listener a reset connection would end the process.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  return {
    address: await bind(server, address),
    close: () => new Promise((resolve) => server.close(() => resolve())),
    destroyConnections() {
      for (const socket of sockets) socket.destroy();
    },
  };
};

/**
 * Makes a server listen. A socket file that nobody listens on any more is replaced.
 * @returns the address, with the port that was really bound
 * @throws {ListenError}
 */
export function bind(server: Server, address: string): Promise<string> {
  return address.startsWith("unix:")
    ? bindPath(server, address, address.slice("unix:".length))
    : bindPort(server, address);
}

async function bindPort(server: Server, address: string): Promise<string> {
  const match = /^(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(address);
  const host = match?.[1] ?? match?.[2] ?? "";
  if (match === null || host === "") throw new ListenError(address, "not host:port or unix:PATH");
  await listenOn(server, address, { host, port: Number(match[3]) });
  const info = server.address();
  const port = typeof info === "object" && info !== null ? info.port : Number(match[3]);
  return match[1] === undefined ? `${host}:${port}` : `[${host}]:${port}`;
}

async function bindPath(server: Server, address: string, path: string): Promise<string> {
  await removeStaleSocket(address, path);
  await listenOn(server, address, { path });
  await chmod(path, 0o660);
  return address;
}

/** A killed process leaves its socket file behind, and binding would fail for ever. */
async function removeStaleSocket(address: string, path: string): Promise<void> {
  const info = await lstat(path).catch(() => null);
  if (info === null) return;
  if (!info.isSocket()) throw new ListenError(address, "a file that is not a socket stands there; remove it");
  if (await accepts(path)) throw new ListenError(address, "another process listens there; stop it or choose another");
  await unlink(path).catch(() => undefined); // gone already is as good
}

function accepts(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => resolve(false));
  });
}

function listenOn(
  server: Server,
  address: string,
  where: { readonly host: string; readonly port: number } | { readonly path: string },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException) => {
      reject(new ListenError(address, reasonOf(error), { cause: error }));
    };
    server.once("error", fail);
    server.listen(where, () => {
      server.off("error", fail);
      // Errors of a listening server are failed accepts (no file descriptors left): it goes on when there are some again.
      server.on("error", () => undefined);
      resolve();
    });
  });
}

function reasonOf(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case "EADDRINUSE":
      return "the address is already in use; stop the process that uses it or choose another port";
    case "EACCES":
      return "permission denied; choose a port above 1023 or a directory you may write to";
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "this machine does not have that address";
    default:
      return error.message;
  }
}
