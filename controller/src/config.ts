import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { XdsTlsOptions } from "./certificates/open-certificates.ts";
import { DEFAULT_KEY_OPTIONS, type KeyOptions } from "./jwks/key-options.ts";
import type { MeshSettings } from "./mesh-config.ts";
import type { HostOwnership } from "./tenancy/host-claims.ts";
import type { HoldOff } from "./wake-up.ts";

/** What a controller needs to be told. Whatever is left out has the default of `ControllerConfig`. */
export interface ControllerOptions extends Partial<Omit<ControllerConfig, "keys">> {
  readonly source: SourceOptions;
  /** Where authz-servers connect: `127.0.0.1:9002` or `unix:/path`. Without `xdsTls` loopback or a unix socket only; port 0 takes a free one. */
  readonly xdsAddress: string;
  readonly log: Logger;
  /** Must not hold metrics of another controller. */
  readonly registry: Registry;
  /** How keys are fetched. What is left out has the default of `KeyOptions`. */
  readonly keys?: Partial<KeyOptions>;
}

/** Where objects come from. */
export type SourceOptions = DirectoryOptions | KubernetesSourceOptions;

/** Files of a directory tree. */
export interface DirectoryOptions {
  readonly kind: "directory";
  readonly path: string;
  /** Start although some files can't be read. Default: false. */
  readonly allowPartial?: boolean;
}

/** The API server; needs `kubernetes` of the options. */
export interface KubernetesSourceOptions {
  readonly kind: "kubernetes";
  /** Watch Pods too, and tell the authz-servers which workload has which address. Default: false. */
  readonly workloadIdentities?: boolean;
  /** Take part in the election of the replica that writes status and events. Default: null, no. */
  readonly status?: StatusOptions | null;
}

/** Who writes status. */
export interface StatusOptions {
  /** The Lease of the leader; a second one, `-fleet` behind its name, holds what the replicas tell each other. */
  readonly leaseName: string;
}

/** The API server, and who we are there. */
export interface KubernetesOptions {
  /** Path of a kubeconfig; null: the service account of the pod we run in. */
  readonly kubeconfig: string | null;
  /** Where we run: our lease, our Secrets and Services. */
  readonly namespace: string;
  /** Who we are among our replicas. */
  readonly podName: string;
}

/** Everything that has a default. */
export interface ControllerConfig {
  /** File with Istio's MeshConfig, watched; null means Istio's defaults. Default: null. */
  readonly meshConfigFile: string | null;
  /** What Istio's MeshConfig has no field for. Default: those of `parseMeshConfig`. */
  readonly settings: MeshSettings;
  /** Default: null, no API server is asked for anything. */
  readonly kubernetes: KubernetesOptions | null;
  /** mTLS between us and the authz-servers. Default: null, none. */
  readonly xdsTls: XdsTlsOptions | null;
  /** Default: a pause of 50 ms, 300 ms in all; the directory source waits 100 ms by itself, and 1 s is promised. */
  readonly holdOff: HoldOff;
  /** Who may have routes for a host that VirtualServices of several namespaces have. Default: shared, as in Istio. */
  readonly hostOwnership: HostOwnership;
  /** Most that the policy of one namespace may take in bytes, the root namespace excepted. Default: 16 MiB, a quarter of a response. */
  readonly maxNamespaceBytes: number;
  /** Default: `DEFAULT_KEY_OPTIONS`. */
  readonly keys: KeyOptions;
  /** Wall clock in milliseconds since the epoch. Default: Date.now. */
  readonly nowMs: () => number;
}

export const DEFAULT_CONTROLLER_CONFIG: ControllerConfig = {
  meshConfigFile: null,
  settings: {},
  kubernetes: null,
  xdsTls: null,
  holdOff: { quietMs: 50, maxMs: 300 },
  hostOwnership: "shared",
  maxNamespaceBytes: 16 * 1024 * 1024,
  keys: DEFAULT_KEY_OPTIONS,
  nowMs: Date.now,
};
