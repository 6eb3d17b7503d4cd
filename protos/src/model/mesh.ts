/** Settings of the whole mesh. Field names and meanings of Istio's MeshConfig; the last group is ours. */
export interface MeshConfig {
  readonly kind: "MeshConfig";
  readonly minReaderVersion: number;
  readonly rootNamespace: string;
  readonly trustDomain: string;
  readonly trustDomainAliases: readonly string[];
  /** Suffix that makes short host names of a namespace whole: `svc.cluster.local`. */
  readonly dnsSuffix: string;
  readonly pathNormalization: PathNormalization;
  /** `defaultConfig.gatewayTopology.numTrustedProxies` */
  readonly numTrustedProxies: number;

  /** DENY fires if any plausible reading of the path matches, ALLOW only if all do. */
  readonly strictPaths: boolean;
  /** Status for tokens whose keys could never be fetched. */
  readonly keysUnavailable: 401 | 503;
  /** Which header names the chosen route: `x-gatehouse-cluster` or `x-gatehouse-route`. */
  readonly routing: "cluster" | "header";
  /** What a gateway answers for a host of no VirtualService. */
  readonly unmatchedHosts: "notFound" | "passthrough";
  /** Tokens without `exp` are refused. Needs reader version 2: an older server would accept them. */
  readonly requireExp: boolean;
}

/** Istio's defaults, and ours for the last group. */
export const DEFAULT_MESH_CONFIG: MeshConfig = {
  kind: "MeshConfig",
  minReaderVersion: 1,
  rootNamespace: "istio-system",
  trustDomain: "cluster.local",
  trustDomainAliases: [],
  dnsSuffix: "svc.cluster.local",
  pathNormalization: "BASE",
  numTrustedProxies: 0,
  strictPaths: false,
  keysUnavailable: 401,
  routing: "cluster",
  unmatchedHosts: "notFound",
  requireExp: false,
};

/** @see https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/#MeshConfig-ProxyPathNormalization-NormalizationType */
export type PathNormalization = "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";

/** An external authorizer that CUSTOM policies name; from MeshConfig's `extensionProviders` only. */
export interface ExtensionProvider {
  readonly kind: "ExtensionProvider";
  readonly name: string;
  readonly minReaderVersion: number;
  readonly protocol: "grpc" | "http";
  /** Host name, `namespace/host` resolved to the host. */
  readonly service: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly failOpen: boolean;
  /** HTTP status when the provider can't be asked. */
  readonly statusOnError: number;
  /** HTTP only. Put before the request's path. */
  readonly pathPrefix: string;
  /** HTTP only. Lower case; `*` at either end is a wildcard. */
  readonly includeRequestHeadersInCheck: readonly string[];
  readonly includeAdditionalHeadersInCheck: readonly { readonly name: string; readonly value: string }[];
  /** HTTP only. Headers of the provider's answer that go to the upstream when it allows. */
  readonly headersToUpstreamOnAllow: readonly string[];
  readonly headersToDownstreamOnDeny: readonly string[];
  readonly headersToDownstreamOnAllow: readonly string[];
  /** Bytes of the body that are sent along; 0 means none. */
  readonly maxRequestBytes: number;
  readonly allowPartialMessage: boolean;
}
