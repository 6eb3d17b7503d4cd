import type { Socket } from "node:net";
import { type ChannelLog, type CountRefusal, type CredentialsSource, createTlsFront } from "@gatehouse/protos/channel";

/** TLS at the check ports. */
export interface CheckTls {
  /** With authorities, Envoy has to show a certificate of one of them. */
  readonly source: CredentialsSource;
  readonly countRefusal: CountRefusal;
  readonly log: ChannelLog;
  /** Wall clock in milliseconds since the epoch. */
  readonly nowMs: () => number;
}

/** What stands between the listening socket and the transport. */
export interface ConnectionGate {
  accept(socket: Socket): void;
  /** Lets nobody in any more; those inside go on. */
  stop(): void;
}

/** @param tls null: connections pass as they are */
export function createConnectionGate(tls: CheckTls | null, onConnection: (socket: Socket) => void): ConnectionGate {
  if (tls === null) return { accept: onConnection, stop: () => undefined };
  // Envoy speaks TLS 1.2 to its upstreams unless it is told otherwise.
  return createTlsFront({ ...tls, peer: { name: null, usage: "client" }, minVersion: "TLSv1.2", onConnection });
}
