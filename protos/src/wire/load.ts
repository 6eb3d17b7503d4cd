import { fileURLToPath } from "node:url";
import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync, type Options } from "@grpc/proto-loader";
import type { ProtoGrpcType as DiscoveryPackage } from "./gen/ads.ts";
import type { ProtoGrpcType as ExtAuthzPackage } from "./gen/external_auth.ts";
import type { ProtoGrpcType as HealthPackage } from "./gen/health.ts";

/** Constructor of a discovery client; `service` is the definition that a server is given. */
export type DiscoveryService = DiscoveryPackage["envoy"]["service"]["discovery"]["v3"]["AggregatedDiscoveryService"];

/** Constructor of an ext_authz client; `service` is the definition that a server is given. */
export type ExtAuthzService = ExtAuthzPackage["envoy"]["service"]["auth"]["v3"]["Authorization"];

/** Constructor of a health client; `service` is the definition that a server is given. */
export type HealthService = HealthPackage["grpc"]["health"]["v1"]["Health"];

/** Where imports of .proto files start. The same from src/wire and from dist/wire. */
export const protoRoot: string = fileURLToPath(new URL("../../", import.meta.url));

/**
 * How messages look in JavaScript, fixed once; the generated types follow them (scripts/generate-types.ts).
 * Names are in camelCase, except `type_url` of google.protobuf.Any, which protobufjs defines itself. 64-bit integers are
 * numbers. Enums are read as names, an unknown one as its number. Absent scalars are read as their defaults, absent messages
 * as null, absent members of a oneof and absent `optional` fields as undefined.
 *
 * The library is lenient when it writes: a misspelt field is left out, a wrongly typed number becomes 0, an unknown enum name
 * becomes the first. `status.code` 0 means that a request may pass, so nothing may depend on what an odd value turns into.
 */
export const loadOptions: Options = {
  keepCase: false,
  longs: Number,
  enums: String,
  defaults: true,
  oneofs: true,
  includeDirs: [protoRoot],
};

/** Loads delta xDS: envoy.service.discovery.v3.AggregatedDiscoveryService. Reads files; call it at start. */
export function loadDiscovery(): DiscoveryService {
  const loaded = load<DiscoveryPackage>("envoy/service/discovery/v3/ads.proto");
  return loaded.envoy.service.discovery.v3.AggregatedDiscoveryService;
}

/** Loads Envoy's external authorization: envoy.service.auth.v3.Authorization. Reads files; call it at start. */
export function loadExtAuthz(): ExtAuthzService {
  const loaded = load<ExtAuthzPackage>("envoy/service/auth/v3/external_auth.proto");
  return loaded.envoy.service.auth.v3.Authorization;
}

/** Loads the standard health protocol: grpc.health.v1.Health. Reads files; call it at start. */
export function loadHealth(): HealthService {
  return load<HealthPackage>("grpc/health/v1/health.proto").grpc.health.v1.Health;
}

function load<Package>(file: string): Package {
  // The generated types describe exactly these files, which `npm run generate:check` proves.
  return loadPackageDefinition(loadSync(file, loadOptions)) as unknown as Package;
}
