import type { X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import { type CredentialsSource, namesOf, toChain, whyNoLongerTrusted, whyNotPeer } from "@gatehouse/protos/channel";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";

export interface ControllerTlsOptions {
  /** Our certificate, and the authorities that the controller's comes from. */
  readonly source: CredentialsSource;
  /** DNS name in the controller's certificate. */
  readonly serverName: string;
  /** Told of each attempt at which the other side was not the controller. */
  readonly onUnverified: () => void;
  /** Wall clock in milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How often the controller is looked at again. Default: 5000. */
  readonly sweepMs?: number;
}

/** What one attempt to connect needs. */
export interface SecureAttempt {
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
  /**
   * Looks again and again, until `stop`, whether the connection may stay.
   * @param end told once why not: its certificates are about to expire, or the authority behind them is gone
   */
  watch(end: (reason: string) => void): () => void;
}

/** TLS towards the controller: ours is the client's side of what `createTlsFront` is. */
export class ControllerTls {
  readonly source: CredentialsSource;
  readonly #options: ControllerTlsOptions;

  constructor(options: ControllerTlsOptions) {
    this.source = options.source;
    this.#options = options;
  }

  /** With the credentials of this moment; null while there are none. */
  attempt(): SecureAttempt | null {
    const own = this.#options.source.current();
    if (own === null) return null;
    const { serverName } = this.#options;
    let chain: readonly X509Certificate[] = [];
    const context = createSecureContext({ ...own.secureOptions(), minVersion: "TLSv1.3" });
    return {
      // grpc-js resumes no session, so the identity is checked at every connection.
      credentials: credentials.createFromSecureContext(context, {
        checkServerIdentity(_host, certificate) {
          chain = toChain(certificate);
          const [leaf] = chain;
          const refusal =
            leaf === undefined ? "no_certificate" : whyNotPeer(leaf, { name: serverName, usage: "server" });
          if (refusal === null) return undefined;
          const shown = leaf === undefined ? "" : `; it is for ${namesOf(leaf)}`;
          return new Error(`the certificate of the controller is not that of ${serverName} (${refusal})${shown}`);
        },
      }),
      options: { "grpc.ssl_target_name_override": serverName },
      watch: (end) => this.#watch(() => chain, own.expiresAtMs, end),
    };
  }

  /** Says that an attempt failed so. */
  unverified(): void {
    this.#options.onUnverified();
  }

  #watch(chain: () => readonly X509Certificate[], ownEndMs: number, end: (reason: string) => void): () => void {
    const { source, nowMs, random, sweepMs } = this.#options;
    // All servers may have the same certificate: they must not come back all at once. And a little early, so that it is no failure.
    const early = 0.1 * random();
    const startedMs = nowMs();
    const look = () => {
      const endMs = Math.min(ownEndMs, ...chain().map(({ validToDate }) => validToDate.getTime()));
      if (nowMs() >= endMs - early * (endMs - startedMs)) end("the certificates of the connection are about to expire");
      else if (chain().length > 0 && this.#whyNot(chain()) !== null)
        end("the controller's authority is not trusted any more");
    };
    const unwatch = source.onChange(look);
    const sweeping = setInterval(look, sweepMs ?? DEFAULT_SWEEP_MS).unref();
    return () => {
      unwatch();
      clearInterval(sweeping);
    };
  }

  #whyNot(chain: readonly X509Certificate[]): string | null {
    const authorities = this.#options.source.current()?.authorities ?? [];
    return whyNoLongerTrusted(chain, authorities, this.#options.nowMs());
  }
}

/** Whether an attempt failed because the other side did not prove to be the controller. @param message as grpc-js gives it */
export function isVerificationError(message: string): boolean {
  // grpc-js keeps the text only: that of OpenSSL's verification, or our own. An alert is what the controller thinks of us.
  return /certificate|issuer|trust/i.test(message) && !/alert/i.test(message);
}

const DEFAULT_SWEEP_MS = 5000;
