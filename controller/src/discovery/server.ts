import type { Socket } from "node:net";
import {
  type CountRefusal,
  type CredentialsSource,
  createTlsFront,
  type HandshakeLimits,
} from "@gatehouse/protos/channel";
import { loadDiscovery } from "@gatehouse/protos/wire";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { type DeltaCall, DeltaStream, MAX_MESSAGE_BYTES, type StreamContext } from "./delta-stream.ts";
import { parseListenAddress } from "./listen-address.ts";
import { openPolicyPort } from "./policy-port.ts";

/** The running xDS server. */
export interface DiscoveryServer {
  /** Where it listens, in the form that gRPC clients take; a port of 0 is resolved. */
  readonly address: string;
  /** Tells every stream that the published set may have changed. */
  publish(): void;
  /** Ends the streams with UNAVAILABLE, so that servers turn to another replica, then the listener. */
  stop(): Promise<void>;
}

/** How servers prove who they are. */
export interface DiscoveryTls {
  readonly source: CredentialsSource;
  /** DNS name in the certificate of every server. */
  readonly clientName: string;
  readonly countRefusal: CountRefusal;
  readonly limits?: HandshakeLimits;
  /** Wall clock in milliseconds since the epoch. */
  readonly nowMs: () => number;
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
 * Serves delta xDS, one session a stream. With TLS (1.3) nobody gets as far as a call without the certificate of a server.
 * @param listen `127.0.0.1:18000` or `unix:/path`; see `parseListenAddress`
 * @param tls null: only this machine can connect
 * @throws StartError when the address is not allowed or can't be listened on
 */
export async function startDiscoveryServer(
  listen: string,
  context: StreamContext,
  tls: DiscoveryTls | null = null,
): Promise<DiscoveryServer> {
  const address = parseListenAddress(listen, tls === null ? "plain" : "tls");
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
  // The listening socket is ours, not grpc-js's: TLS ends before gRPC begins, for every call that there is or will be.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const front = openFront(tls, context, (socket) => injector.injectConnection(socket));
  const port = await openPolicyPort(address, front.accept);
  return {
    address: port.address,
    publish: () => {
      for (const stream of streams) stream.offer();
    },
    async stop() {
      for (const stream of [...streams]) stream.fail(status.UNAVAILABLE, "the controller stops");
      front.stop();
      const closed = port.close(STOP_DEADLINE_MS);
      // Asks every client to leave. Its callback comes too early where the socket is not grpc-js's own; ours does not.
      server.tryShutdown(() => undefined);
      await closed;
      server.forceShutdown();
    },
  };
}

interface Front {
  accept(socket: Socket): void;
  stop(): void;
}

function openFront(
  tls: DiscoveryTls | null,
  { log }: Pick<StreamContext, "log">,
  onConnection: (socket: Socket) => void,
): Front {
  if (tls === null) return { accept: onConnection, stop: () => undefined };
  const front = createTlsFront({
    ...tls,
    peer: { name: tls.clientName, usage: "client" },
    minVersion: "TLSv1.3",
    onConnection,
    log,
  });
  return { accept: (socket) => front.accept(socket), stop: () => front.stop() };
}
