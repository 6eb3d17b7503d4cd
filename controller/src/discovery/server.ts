import { chmod, lstat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { loadDiscovery } from "@gatehouse/protos/wire";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { StartError } from "../start-error.ts";
import { type DeltaCall, DeltaStream, MAX_MESSAGE_BYTES, type StreamContext } from "./delta-stream.ts";
import { formatListenAddress, type ListenAddress, parseListenAddress } from "./listen-address.ts";

/** The running xDS server. */
export interface DiscoveryServer {
  /** Where it listens, in the form that gRPC clients take; a port of 0 is resolved. */
  readonly address: string;
  /** Tells every stream that the published set may have changed. */
  publish(): void;
  /** Ends the streams with UNAVAILABLE, so that servers turn to another replica, then the listener. */
  stop(): Promise<void>;
}

const MAX_STREAMS = 1000;
const STOP_DEADLINE_MS = 2000;

const SERVER_OPTIONS = {
  "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
  "grpc.max_concurrent_streams": 16, // per connection; a server needs one
  // A peer that vanished without a word is noticed within 15 s.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.default_compression_algorithm": 0,
};

/**
 * Serves delta xDS, one session a stream.
 * @param listen `127.0.0.1:18000` or `unix:/path`; see `parseListenAddress`
 * @throws StartError when the address is not allowed or can't be listened on
 */
export async function startDiscoveryServer(listen: string, context: StreamContext): Promise<DiscoveryServer> {
  const address = parseListenAddress(listen);
  const streams = new Set<DeltaStream>();
  const server = new Server(SERVER_OPTIONS);
  let lastId = 0;
  server.addService(loadDiscovery().service, {
    DeltaAggregatedResources: (call: DeltaCall) => {
      lastId += 1;
      const stream = new DeltaStream(lastId, call, context, () => streams.delete(stream));
      if (streams.size >= MAX_STREAMS) stream.fail(status.RESOURCE_EXHAUSTED, `more than ${MAX_STREAMS} streams`);
      else streams.add(stream);
    },
  });
  const port = await bind(server, address);
  return {
    address: formatListenAddress(address.kind === "tcp" ? { ...address, port } : address),
    publish: () => {
      for (const stream of streams) stream.offer();
    },
    stop: () => {
      for (const stream of [...streams]) stream.fail(status.UNAVAILABLE, "the controller stops");
      return shutDown(server);
    },
  };
}

async function bind(server: Server, address: ListenAddress): Promise<number> {
  if (address.kind === "unix") await removeStaleSocket(address.path);
  const target = formatListenAddress(address);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync(target, ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(cannotListen(target, error));
    });
  });
  if (address.kind === "unix") await chmod(address.path, 0o600);
  return port;
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

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(() => server.forceShutdown(), STOP_DEADLINE_MS);
    // Resolves after forceShutdown too; an error only says that the server was not running.
    server.tryShutdown(() => {
      clearTimeout(deadline);
      resolve();
    });
  });
}
