import { setTimeout as sleepFor } from "node:timers/promises";
import {
  type CredentialsSource,
  readCertificates,
  readTlsCredentials,
  type TlsCredentials,
  whyNotPeer,
} from "@gatehouse/protos/channel";
import type { Logger } from "pino";
import { type KubernetesApi, KubernetesError } from "../kubernetes/api.ts";
import { createBackOff } from "../kubernetes/back-off.ts";
import { type Authority, BACKDATE_MS, isPast, readAuthority, renewAuthority, writeAuthority } from "./authority.ts";
import { issueLeaf, type KeyPair, type LeafRequest } from "./issue.ts";
import { getSecret, type SecretName, updateSecret } from "./secret.ts";

export interface SelfManagedOptions {
  readonly api: KubernetesApi;
  /** The certificate authority, which all replicas share. */
  readonly authoritySecret: SecretName;
  /** What the authz-servers show us. */
  readonly clientSecret: SecretName;
  readonly serverName: string;
  readonly clientName: string;
  readonly log: Logger;
  /** Wall clock in milliseconds since the epoch. Default: Date.now. */
  readonly nowMs?: () => number;
  /** From 0 to 1. Default: Math.random. */
  readonly random?: () => number;
  /** Between two looks at the Secrets. Default: 15000. */
  readonly pollMs?: number;
}

/** Certificates that the controller makes itself. Both Secrets must exist; they may be empty. */
export class SelfManagedCertificates implements CredentialsSource {
  readonly #options: SelfManagedOptions;
  readonly #nowMs: () => number;
  /** The part of a certificate's life after which this replica renews it: another one at each replica, so that one is first. */
  readonly #renewAt: number;
  readonly #listeners = new Set<() => void>();
  readonly #random: () => number;
  readonly #log: Logger;
  #serverKeys: KeyPair | null = null;
  #trusted = "";
  #current: TlsCredentials | null = null;
  #client: TlsCredentials | null = null;
  #problem: string | null = "the Secrets were not read yet";

  constructor(options: SelfManagedOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#renewAt = 1 / 2 + this.#random() / 6;
    this.#log = options.log;
  }

  current(): TlsCredentials | null {
    return this.#current;
  }

  /** What the authz-servers have, or will have when the Secret has reached them. */
  client(): TlsCredentials | null {
    return this.#client;
  }

  problem(): string | null {
    return this.#problem;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Follows the Secrets and renews what is due, until the signal; never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    const backOff = createBackOff({ firstMs: 500, maxMs: 15_000, random: this.#random });
    while (!signal.aborted) {
      const pauseMs = await this.#attempt(signal).then(
        () => {
          this.#problem = null;
          backOff.reset();
          return this.#options.pollMs ?? DEFAULT_POLL_MS;
        },
        (error: unknown) => {
          if (!signal.aborted) this.#failed(error);
          return backOff.next(error instanceof KubernetesError ? error.retryAfterMs : null);
        },
      );
      await sleepFor(pauseMs, undefined, { signal, ref: false }).catch(() => undefined); // woken by the signal: the loop ends
    }
  }

  #failed(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    const isNew = this.#problem !== problem;
    this.#problem = problem;
    const message = "certificates can't be managed; those that are there go on, and it is tried again";
    // A bug has a stack that is worth having; what the API server says has none.
    const isExpected = error instanceof KubernetesError || error instanceof UnusableSecretError;
    if (isNew) this.#log.error(isExpected ? { problem } : { err: error }, message);
  }

  /** Reads both Secrets and puts right what is not; starts over when another replica was faster. */
  async #attempt(signal: AbortSignal): Promise<void> {
    for (let tries = 0; tries < MAX_CONFLICTS; tries += 1) {
      const authority = await this.#ensureAuthority(signal);
      if (authority === null) continue;
      await this.#ensureServer(authority);
      if (await this.#ensureClient(authority, signal)) return;
    }
    throw new KubernetesError("BAD_ANSWER", `the Secrets were changed by others ${MAX_CONFLICTS} times in a row`);
  }

  async #ensureAuthority(signal: AbortSignal): Promise<Authority | null> {
    const { api, authoritySecret } = this.#options;
    const secret = await getSecret(api, authoritySecret, signal);
    const read = readAuthority(secret.data);
    if (!read.ok) {
      const advice = "put it right, or empty the Secret and a new authority is made";
      throw new UnusableSecretError(`Secret ${nameOf(authoritySecret)}: ${read.message}; ${advice}`);
    }
    const renewed = await renewAuthority(read.authority, this.#nowMs());
    if (renewed === null) return read.authority;
    if (!(await updateSecret(api, authoritySecret, { secret, data: writeAuthority(renewed) }, signal))) return null;
    const phase = read.authority === null ? "made" : renewed.next === null ? "in use" : "announced";
    this.#log.info(
      { secret: nameOf(authoritySecret), phase, trusted: renewed.trusted.length },
      "certificate authority changed",
    );
    return renewed;
  }

  async #ensureServer(authority: Authority): Promise<void> {
    const trusted = authority.trusted.join("");
    const rule = { name: this.#options.serverName, usage: "server" } as const;
    const isFit = this.#current !== null && this.#isFit(this.#current, authority, rule);
    if (isFit && trusted === this.#trusted) return;
    const keys = isFit && this.#serverKeys !== null ? this.#serverKeys : await this.#issue(authority, rule);
    const read = readTlsCredentials({ ...keys, trusted });
    if (!read.ok) throw new UnusableSecretError(read.message);
    this.#serverKeys = keys;
    this.#trusted = trusted;
    this.#current = read.credentials;
    this.#log.info({ expires: read.credentials.leaf.validToDate.toISOString() }, "server certificate made");
    for (const listener of this.#listeners) listener();
  }

  /** @returns false when another replica was faster */
  async #ensureClient(authority: Authority, signal: AbortSignal): Promise<boolean> {
    const { api, clientSecret, clientName } = this.#options;
    const secret = await getSecret(api, clientSecret, signal);
    const trusted = authority.trusted.join("");
    const rule = { name: clientName, usage: "client" } as const;
    const [certificate, privateKey, found] = ["tls.crt", "tls.key", "ca.crt"].map((key) => secret.data.get(key) ?? "");
    const stored = { certificate: certificate ?? "", privateKey: privateKey ?? "" };
    const read = readTlsCredentials({ ...stored, trusted });
    const isFit = read.ok && this.#isFit(read.credentials, authority, rule);
    if (read.ok && isFit) this.#client = read.credentials;
    if (isFit && found === trusted) return true;
    const keys = isFit ? stored : await this.#issue(authority, rule);
    const data = new Map([
      ["tls.crt", keys.certificate],
      ["tls.key", keys.privateKey],
      ["ca.crt", trusted],
    ]);
    if (!(await updateSecret(api, clientSecret, { secret, data }, signal))) return false;
    const written = readTlsCredentials({ ...keys, trusted });
    if (written.ok) this.#client = written.credentials;
    this.#log.info({ secret: nameOf(clientSecret) }, "client certificate written for the authz-servers");
    return true;
  }

  /** Signed by one that is trusted, for that name and purpose, and not due for renewal. */
  #isFit({ leaf }: TlsCredentials, { trusted }: Authority, rule: Pick<LeafRequest, "name" | "usage">): boolean {
    const validity = { fromMs: leaf.validFromDate.getTime(), toMs: leaf.validToDate.getTime() };
    const isSigned = (readCertificates(trusted.join("")) ?? []).some(
      (one) => leaf.checkIssued(one) && leaf.verify(one.publicKey),
    );
    return isSigned && whyNotPeer(leaf, rule) === null && !isPast(this.#renewAt, validity, this.#nowMs());
  }

  #issue({ issuing }: Authority, rule: Pick<LeafRequest, "name" | "usage">): Promise<KeyPair> {
    const nowMs = this.#nowMs();
    return issueLeaf(issuing, { ...rule, validity: { fromMs: nowMs - BACKDATE_MS, toMs: nowMs + LEAF_LIFE_MS } });
  }
}

const DEFAULT_POLL_MS = 15_000;
const LEAF_LIFE_MS = 24 * 3600_000;
const MAX_CONFLICTS = 10;

/** What stands in a Secret can't be used; a person has to put it right. */
class UnusableSecretError extends Error {
  override readonly name = "UnusableSecretError";
  readonly code = "UNUSABLE_SECRET";
}

function nameOf({ namespace, name }: SecretName): string {
  return `${namespace}/${name}`;
}
