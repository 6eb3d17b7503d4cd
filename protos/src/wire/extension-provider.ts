import type { ExtensionProvider } from "../model/mesh.ts";
import { enumCodec } from "./enum-codec.ts";
import type {
  ExtensionProvider as Wire,
  ExtensionProvider__Output as WireOutput,
} from "./gen/gatehouse/policy/v1/ExtensionProvider.ts";
import { uint32, uint64 } from "./numbers.ts";
import { readLabels, writeLabels } from "./object.ts";
import { exact } from "./shape.ts";

const protocol = enumCodec({ grpc: "PROTOCOL_GRPC", http: "PROTOCOL_HTTP" } as const);

/** Writes an ExtensionProvider. */
export function writeExtensionProvider(model: ExtensionProvider): Wire {
  return {
    name: model.name,
    protocol: protocol.encode(model.protocol),
    service: model.service,
    port: uint32(model.port, "port"),
    timeoutMs: uint64(model.timeoutMs, "timeoutMs"),
    failOpen: model.failOpen,
    statusOnError: uint32(model.statusOnError, "statusOnError"),
    pathPrefix: model.pathPrefix,
    includeRequestHeadersInCheck: [...model.includeRequestHeadersInCheck],
    includeAdditionalHeadersInCheck: writeLabels(model.includeAdditionalHeadersInCheck),
    headersToUpstreamOnAllow: [...model.headersToUpstreamOnAllow],
    headersToDownstreamOnDeny: [...model.headersToDownstreamOnDeny],
    headersToDownstreamOnAllow: [...model.headersToDownstreamOnAllow],
    maxRequestBytes: uint64(model.maxRequestBytes, "maxRequestBytes"),
    allowPartialMessage: model.allowPartialMessage,
  };
}

/** Reads an ExtensionProvider. */
export function readExtensionProvider(wire: WireOutput, minReaderVersion: number, path: string): ExtensionProvider {
  return {
    kind: "ExtensionProvider",
    name: wire.name,
    minReaderVersion,
    protocol: protocol.decode(wire.protocol, `${path}.protocol`),
    service: wire.service,
    port: wire.port,
    timeoutMs: exact(wire.timeoutMs, `${path}.timeoutMs`),
    failOpen: wire.failOpen,
    statusOnError: wire.statusOnError,
    pathPrefix: wire.pathPrefix,
    includeRequestHeadersInCheck: wire.includeRequestHeadersInCheck,
    includeAdditionalHeadersInCheck: readLabels(wire.includeAdditionalHeadersInCheck),
    headersToUpstreamOnAllow: wire.headersToUpstreamOnAllow,
    headersToDownstreamOnDeny: wire.headersToDownstreamOnDeny,
    headersToDownstreamOnAllow: wire.headersToDownstreamOnAllow,
    maxRequestBytes: exact(wire.maxRequestBytes, `${path}.maxRequestBytes`),
    allowPartialMessage: wire.allowPartialMessage,
  };
}
