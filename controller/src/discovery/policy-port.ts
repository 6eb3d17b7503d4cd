import { chmod, lstat, unlink } from "node:fs/promises";
import { connect, createServer, type Server, type Socket } from "node:net";
import { StartError } from "../start-error.ts";
import { formatListenAddress, type ListenAddress } from "./listen-address.ts";

/** The listening socket, with the connections that it accepted. */
export interface PolicyPort {
  /** In the form that gRPC clients take; a port of 0 is resolved. */
  readonly address: string;
  /** Accepts no more; resolves when the connections have ended, at the latest after `deadlineMs`, when they are cut. */
  close(deadlineMs: number): Promise<void>;
}

/**
 * Listens on TCP, or on a unix socket that only we may use.
 * @param onConnection gets each connection
 * @throws {StartError}
 */
export async function openPolicyPort(
  address: ListenAddress,
  onConnection: (socket: Socket) => void,
): Promise<PolicyPort> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    // Without a listener a reset connection would end the process.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    onConnection(socket);
  });
  if (address.kind === "unix") await removeStaleSocket(address.path);
  const port = await listen(server, address);
  if (address.kind === "unix") await chmod(address.path, 0o600);
  return {
    address: formatListenAddress(address.kind === "tcp" ? { ...address, port } : address),
    async close(deadlineMs) {
      const closed = new Promise((resolve) => server.close(resolve));
      const cut = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, deadlineMs);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** @returns the port; 0 for a unix socket */
function listen(server: Server, address: ListenAddress): Promise<number> {
  const where = address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(cannotListen(formatListenAddress(address), error));
    server.once("error", fail);
    server.listen(where, () => {
      server.off("error", fail);
      // Errors of a listening server are failed accepts (no file descriptors left): it goes on when there are some again.
      server.on("error", () => undefined);
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
    });
  });
}

/** A controller that was killed leaves its socket behind; one that still answers keeps it. */
async function removeStaleSocket(path: string): Promise<void> {
  const found = await lstat(path).catch(() => null); // nothing there, or bind will say why not
  if (found === null || !found.isSocket()) return;
  const isServed = await new Promise<boolean>((resolve) => {
    const probe = connect(path, () => {
      probe.destroy();
      resolve(true);
    });
    probe.on("error", () => resolve(false));
  });
  if (isServed) throw addressInUse(`unix:${path}`);
  await unlink(path);
}

function cannotListen(target: string, cause: Error): StartError {
  if (cause.message.includes("EADDRINUSE")) return addressInUse(target, cause);
  return new StartError("CANNOT_LISTEN", `cannot listen on xDS address ${target}: ${cause.message}`, { cause });
}

function addressInUse(target: string, cause?: Error): StartError {
  const message = `xDS address ${target} is in use: stop the process that has it, or choose another address`;
  return new StartError("ADDRESS_IN_USE", message, { cause });
}
