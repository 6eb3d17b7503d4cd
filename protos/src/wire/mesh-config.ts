import type { MeshConfig } from "../model/mesh.ts";
import { enumCodec } from "./enum-codec.ts";
import type { MeshConfig as Wire, MeshConfig__Output as WireOutput } from "./gen/gatehouse/policy/v1/MeshConfig.ts";
import { uint32 } from "./numbers.ts";

const pathNormalization = enumCodec({
  NONE: "PATH_NORMALIZATION_NONE",
  BASE: "PATH_NORMALIZATION_BASE",
  MERGE_SLASHES: "PATH_NORMALIZATION_MERGE_SLASHES",
  DECODE_AND_MERGE_SLASHES: "PATH_NORMALIZATION_DECODE_AND_MERGE_SLASHES",
} as const);

const routing = enumCodec({ cluster: "ROUTING_CLUSTER", header: "ROUTING_HEADER" } as const);

const unmatchedHosts = enumCodec({
  notFound: "UNMATCHED_HOSTS_NOT_FOUND",
  passthrough: "UNMATCHED_HOSTS_PASSTHROUGH",
} as const);

const keysUnavailable = enumCodec({
  unauthorized: "KEYS_UNAVAILABLE_UNAUTHORIZED",
  serviceUnavailable: "KEYS_UNAVAILABLE_SERVICE_UNAVAILABLE",
} as const);

/** Writes the MeshConfig. */
export function writeMeshConfig(model: MeshConfig): Wire {
  return {
    rootNamespace: model.rootNamespace,
    trustDomain: model.trustDomain,
    trustDomainAliases: [...model.trustDomainAliases],
    dnsSuffix: model.dnsSuffix,
    pathNormalization: pathNormalization.encode(model.pathNormalization),
    numTrustedProxies: uint32(model.numTrustedProxies, "numTrustedProxies"),
    strictPaths: model.strictPaths,
    keysUnavailable: keysUnavailable.encode(model.keysUnavailable === 401 ? "unauthorized" : "serviceUnavailable"),
    routing: routing.encode(model.routing),
    unmatchedHosts: unmatchedHosts.encode(model.unmatchedHosts),
    // Left out while it is off: sets of servers and controllers that know it and that do not have equal versions.
    ...(model.requireExp ? { requireExp: true } : {}),
  };
}

/** Reads the MeshConfig. */
export function readMeshConfig(wire: WireOutput, minReaderVersion: number, path: string): MeshConfig {
  return {
    kind: "MeshConfig",
    minReaderVersion,
    rootNamespace: wire.rootNamespace,
    trustDomain: wire.trustDomain,
    trustDomainAliases: wire.trustDomainAliases,
    dnsSuffix: wire.dnsSuffix,
    pathNormalization: pathNormalization.decode(wire.pathNormalization, `${path}.pathNormalization`),
    numTrustedProxies: wire.numTrustedProxies,
    strictPaths: wire.strictPaths,
    keysUnavailable:
      keysUnavailable.decode(wire.keysUnavailable, `${path}.keysUnavailable`) === "unauthorized" ? 401 : 503,
    routing: routing.decode(wire.routing, `${path}.routing`),
    unmatchedHosts: unmatchedHosts.decode(wire.unmatchedHosts, `${path}.unmatchedHosts`),
    requireExp: wire.requireExp,
  };
}
