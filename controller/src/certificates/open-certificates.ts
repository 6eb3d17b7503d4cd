import { type CredentialsSource, openCredentialsDirectory } from "@gatehouse/protos/channel";
import type { Logger } from "pino";
import type { KubernetesApi } from "../kubernetes/api.ts";
import type { ReadinessCheck } from "../readiness.ts";
import type { SelfManagedOptions } from "./self-managed.ts";

/** How the xDS port is encrypted. */
export type XdsTlsOptions = {
  /** DNS name that the authz-servers' certificate has. */
  readonly clientName: string;
} & (SelfManagedTlsOptions | FilesTlsOptions);

/** The controller is its own certificate authority; both Secrets exist, and are empty at first. */
export interface SelfManagedTlsOptions {
  readonly kind: "self-managed";
  readonly namespace: string;
  readonly authoritySecret: string;
  readonly clientSecret: string;
  /** DNS name for our own certificate. */
  readonly serverName: string;
}

/** Somebody else writes `tls.crt`, `tls.key` and `ca.crt` into a directory. */
export interface FilesTlsOptions {
  readonly kind: "files";
  readonly directory: string;
  /** DNS name that our own certificate must have. Default: null, any. */
  readonly serverName?: string | null;
}

/** The certificates of the xDS port, until they are stopped. */
export interface Certificates {
  readonly source: CredentialsSource;
  readiness(): ReadinessCheck;
  /** When each certificate that is known expires, in milliseconds since the epoch. */
  expiries(): readonly CertificateExpiry[];
  stop(): Promise<void>;
}

export interface CertificateExpiry {
  readonly certificate: "ca" | "server" | "client";
  readonly expiresAtMs: number;
}

export interface CertificatesContext {
  /** Needed for those that are self-managed. */
  readonly api: KubernetesApi | null;
  readonly log: Logger;
  readonly nowMs: () => number;
  /** Times of the self-managed ones, for tests. */
  readonly selfManaged?: Pick<SelfManagedOptions, "pollMs" | "random">;
}

/** Opens the certificates. They may come later: until then nobody gets in. */
export async function openCertificates(options: XdsTlsOptions, context: CertificatesContext): Promise<Certificates> {
  const { log, nowMs } = context;
  if (options.kind === "files") {
    const { directory: path, serverName: name = null } = options;
    const self = { name, usage: "server" } as const;
    const directory = await openCredentialsDirectory({ path, authority: "required", self, log, nowMs });
    return {
      source: directory,
      readiness: () => readinessOf(directory, nowMs()),
      expiries: () => expiriesOf(directory),
      stop: () => Promise.resolve(directory.stop()),
    };
  }
  return openSelfManaged(options, context);
}

async function openSelfManaged(
  options: SelfManagedTlsOptions & { readonly clientName: string },
  { api, log, nowMs, selfManaged }: CertificatesContext,
): Promise<Certificates> {
  if (api === null) throw new Error("self-managed certificates need an API server");
  // Issuing takes a library that costs every other command 100 ms to load.
  const { SelfManagedCertificates } = await import("./self-managed.ts");
  const { namespace, authoritySecret, clientSecret, serverName, clientName } = options;
  const certificates = new SelfManagedCertificates({
    ...selfManaged,
    api,
    authoritySecret: { namespace, name: authoritySecret },
    clientSecret: { namespace, name: clientSecret },
    serverName,
    clientName,
    log,
    nowMs,
  });
  const ending = new AbortController();
  const running = certificates.run(ending.signal);
  return {
    source: certificates,
    readiness: () => readinessOf(certificates, nowMs()),
    expiries() {
      const client = certificates.client();
      const own = expiriesOf(certificates);
      return client === null ? own : [...own, { certificate: "client", expiresAtMs: client.expiresAtMs }];
    },
    async stop() {
      ending.abort();
      await running;
    },
  };
}

function expiriesOf(source: CredentialsSource): readonly CertificateExpiry[] {
  const credentials = source.current();
  if (credentials === null) return [];
  const { expiresAtMs, authorityExpiresAtMs } = credentials;
  const server: CertificateExpiry = { certificate: "server", expiresAtMs };
  return authorityExpiresAtMs === null ? [server] : [server, { certificate: "ca", expiresAtMs: authorityExpiresAtMs }];
}

function readinessOf(source: CredentialsSource, nowMs: number): ReadinessCheck {
  const credentials = source.current();
  const problem = source.problem();
  const state =
    credentials === null
      ? "none yet; authz-servers are refused"
      : `server certificate until ${credentials.leaf.validToDate.toISOString()}, ${credentials.authorities.length} authorities trusted`;
  // With one that has expired no authz-server comes.
  const ok = credentials !== null && nowMs < credentials.expiresAtMs;
  return { name: "certificates", ok, message: problem === null ? state : `${state}\n${problem}` };
}
