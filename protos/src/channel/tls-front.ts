import { constants, type X509Certificate } from "node:crypto";
import type { Socket } from "node:net";
import { createServer, type SecureVersion, type Server, type TLSSocket } from "node:tls";
import type { ChannelLog, CredentialsSource } from "./credentials-source.ts";
import { namesOf } from "./own-certificate.ts";
import { type PeerRule, toChain, whyNoLongerTrusted, whyNotPeer } from "./peer-identity.ts";
import { type CountRefusal, createRefusalReport, type Refusal, type ReportRefusal, toRefusal } from "./refusal.ts";

export interface TlsFrontOptions {
  readonly source: CredentialsSource;
  /** Counts when the credentials have authorities; without, nobody has to prove anything. */
  readonly peer: PeerRule;
  readonly minVersion: SecureVersion;
  /** Gets a connection over which HTTP/2 may be spoken, with a peer that has proved who it is. */
  readonly onConnection: (socket: TLSSocket) => void;
  readonly countRefusal: CountRefusal;
  readonly log: ChannelLog;
  /** Default: `DEFAULT_HANDSHAKE_LIMITS`. */
  readonly limits?: HandshakeLimits;
  /** How often those who are connected are looked at again. Default: 5000. */
  readonly sweepMs?: number;
  /** Wall clock in milliseconds since the epoch. Default: Date.now. */
  readonly nowMs?: () => number;
}

/** What strangers may cost. */
export interface HandshakeLimits {
  readonly timeoutMs: number;
  /** Handshakes at once; one more, and the oldest is cut. */
  readonly maxPending: number;
}

export const DEFAULT_HANDSHAKE_LIMITS: HandshakeLimits = { timeoutMs: 5000, maxPending: 256 };

/** Turns accepted connections into TLS connections. */
export interface TlsFront {
  /** Takes a connection over; it is handed to `onConnection`, or ends. */
  accept(socket: Socket): void;
  /** Accepts nothing more; the connections that were handed over go on. */
  stop(): void;
}

/**
 * Ends TLS for connections that somebody else accepts. New credentials count for every handshake that ends after they came; a
 * connection goes on until a certificate of its peer's chain expires or none of the authorities is behind it any more.
 * Sessions are never resumed, so that a verdict is never older than its connection.
 */
export function createTlsFront(options: TlsFrontOptions): TlsFront {
  return new Front(options);
}

const DEFAULT_SWEEP_MS = 5000;

class Front implements TlsFront {
  readonly #options: TlsFrontOptions;
  readonly #limits: HandshakeLimits;
  readonly #refused: ReportRefusal;
  /** Handshakes in the order they began, by the peer's address and port. */
  readonly #pending = new Map<string, Socket>();
  readonly #peers = new Map<TLSSocket, readonly X509Certificate[]>();
  readonly #unwatch: () => void;
  readonly #sweeping: NodeJS.Timeout;
  #server: Server | null;

  constructor(options: TlsFrontOptions) {
    this.#options = options;
    this.#limits = options.limits ?? DEFAULT_HANDSHAKE_LIMITS;
    this.#refused = createRefusalReport(options.countRefusal, options.log);
    this.#server = this.#createServer();
    this.#unwatch = options.source.onChange(() => {
      this.#server = this.#createServer();
      this.#sweep();
    });
    this.#sweeping = setInterval(() => this.#sweep(), options.sweepMs ?? DEFAULT_SWEEP_MS).unref();
  }

  accept(socket: Socket): void {
    if (this.#server === null) {
      this.#refused("not_ready", socket.remoteAddress);
      socket.destroy();
      return;
    }
    this.#limitPending(socket);
    this.#server.emit("connection", socket);
  }

  stop(): void {
    this.#unwatch();
    clearInterval(this.#sweeping);
    this.#server = null;
    for (const socket of this.#pending.values()) socket.destroy();
  }

  #limitPending(socket: Socket): void {
    const key = peerOf(socket);
    if (key === null) return;
    this.#pending.set(key, socket);
    socket.once("close", () => this.#pending.delete(key));
    const [oldest] = this.#pending.values();
    if (this.#pending.size <= this.#limits.maxPending || oldest === undefined) return;
    // The oldest, as an honest handshake takes milliseconds.
    this.#refused("flood", oldest.remoteAddress);
    this.#pending.delete(peerOf(oldest) ?? "");
    oldest.destroy();
  }

  #createServer(): Server | null {
    const credentials = this.#options.source.current();
    if (credentials === null) return null;
    const isPeerAsked = credentials.authorities.length > 0;
    // It never listens. Without tickets a session could only be resumed through a listener for resumeSession.
    const server = createServer({
      ...credentials.secureOptions(),
      minVersion: this.#options.minVersion,
      requestCert: isPeerAsked,
      rejectUnauthorized: isPeerAsked,
      ALPNProtocols: ["h2"],
      secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
      handshakeTimeout: this.#limits.timeoutMs,
    });
    server.on("secureConnection", (socket) => this.#secured(socket));
    server.on("tlsClientError", (error, socket) => {
      this.#refused(toRefusal(error, socket), socket.remoteAddress);
      socket.destroy();
    });
    return server;
  }

  #secured(socket: TLSSocket): void {
    // Without a listener a reset connection would end the process.
    socket.on("error", () => socket.destroy());
    this.#pending.delete(peerOf(socket) ?? "");
    const chain = toChain(socket.getPeerCertificate(true));
    const reason = this.#judge(socket, chain);
    if (reason !== null) {
      this.#refusePeer(reason, socket, chain);
      return;
    }
    this.#peers.set(socket, chain);
    socket.once("close", () => this.#peers.delete(socket));
    this.#options.onConnection(socket);
  }

  #judge(socket: TLSSocket, chain: readonly X509Certificate[]): Refusal | null {
    if (this.#server === null) return "not_ready";
    if (socket.alpnProtocol !== "h2" || socket.isSessionReused()) return "protocol";
    return this.#whyNot(chain);
  }

  /** By the credentials of this moment, which may be newer than those of the handshake. */
  #whyNot(chain: readonly X509Certificate[]): Refusal | null {
    const { source, peer, nowMs } = this.#options;
    const authorities = source.current()?.authorities ?? [];
    if (authorities.length === 0) return null;
    const [leaf] = chain;
    if (leaf === undefined) return "no_certificate";
    return whyNotPeer(leaf, peer) ?? whyNoLongerTrusted(chain, authorities, (nowMs ?? Date.now)());
  }

  #sweep(): void {
    for (const [socket, chain] of this.#peers) {
      const reason = this.#whyNot(chain);
      if (reason !== null) this.#refusePeer(reason, socket, chain);
    }
  }

  /** Whose name is wrong has a certificate of an authority of ours: what stands in it may be shown. */
  #refusePeer(reason: Refusal, socket: TLSSocket, [leaf]: readonly X509Certificate[]): void {
    const isNamed = reason === "wrong_name" && leaf !== undefined;
    const detail = isNamed ? { expected: `DNS:${this.#options.peer.name}`, shown: namesOf(leaf) } : {};
    this.#refused(reason, socket.remoteAddress, detail);
    socket.destroy();
  }
}

/** The same for a TCP connection and the TLS connection on it; null for unix sockets, which file permissions guard. */
function peerOf(socket: Socket): string | null {
  return socket.remoteAddress === undefined ? null : `${socket.remoteAddress} ${socket.remotePort}`;
}
