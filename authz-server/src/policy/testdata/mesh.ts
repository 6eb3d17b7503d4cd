import type { MeshConfig } from "@gatehouse/protos";

/** Istio's defaults, unless the fields say otherwise. */
export function meshConfig(fields: Partial<MeshConfig> = {}): MeshConfig {
  return {
    kind: "MeshConfig",
    minReaderVersion: 1,
    rootNamespace: "istio-system",
    trustDomain: "cluster.local",
    trustDomainAliases: [],
    dnsSuffix: "svc.cluster.local",
    pathNormalization: "BASE",
    numTrustedProxies: 0,
    strictPaths: false,
    requireExp: false,
    keysUnavailable: 401,
    routing: "cluster",
    unmatchedHosts: "notFound",
    ...fields,
  };
}
