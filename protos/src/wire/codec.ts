import { type PolicyResource, READER_VERSION, resourceName } from "../model/resource.ts";
import { readAuthorizationPolicy, writeAuthorizationPolicy } from "./authorization-policy.ts";
import { ResourceDecodeError, ResourceEncodeError } from "./errors.ts";
import { readExtensionProvider, writeExtensionProvider } from "./extension-provider.ts";
import { readGateway, writeGateway } from "./gateway.ts";
import type {
  PolicyResource as Wire,
  PolicyResource__Output as WireOutput,
} from "./gen/gatehouse/policy/v1/PolicyResource.ts";
import { findIllFormedText } from "./ill-formed-text.ts";
import { readKeySet, writeKeySet } from "./key-set.ts";
import { readMeshConfig, writeMeshConfig } from "./mesh-config.ts";
import { loadMessage } from "./message.ts";
import { uint32 } from "./numbers.ts";
import { readRequestAuthentication, writeRequestAuthentication } from "./request-authentication.ts";
import { onlyCase, required } from "./shape.ts";
import { readVirtualService, writeVirtualService } from "./virtual-service.ts";

/** Type of policy resources in xDS: of subscriptions, responses and the `Any` of each resource. */
export const POLICY_RESOURCE_TYPE_URL = "type.googleapis.com/gatehouse.policy.v1.PolicyResource";

const CASES = [
  "requestAuthentication",
  "authorizationPolicy",
  "virtualService",
  "gateway",
  "keySet",
  "meshConfig",
  "extensionProvider",
] as const;

const message = loadMessage<Wire, WireOutput>(
  "gatehouse/policy/v1/policy_resource.proto",
  "gatehouse.policy.v1.PolicyResource",
);

/**
 * Writes a resource. The same resource gives the same bytes, in every process of this release.
 * Throws ResourceEncodeError for a text or number that has no faithful wire form, rather than change it.
 */
export function encodeResource(resource: PolicyResource): Uint8Array {
  try {
    const minReaderVersion = uint32(minReaderVersionOf(resource), "minReaderVersion");
    const wire: Wire = { minReaderVersion, ...writeCase(resource) };
    const path = findIllFormedText(wire);
    if (path === undefined) return message.encode(wire);
    throw new ResourceEncodeError("ILL_FORMED_TEXT", `${path.slice(1)}: holds half of a surrogate pair`);
  } catch (error) {
    if (!(error instanceof ResourceEncodeError)) throw error;
    throw new ResourceEncodeError(error.code, `${resourceName(resource)}: ${error.message}`, { cause: error });
  }
}

/**
 * Reads a resource. Nothing is guessed: what is missing, unknown or contradictory throws ResourceDecodeError.
 * A resource for newer readers is returned when it can be read; the caller compares `minReaderVersion` with READER_VERSION.
 * Unknown fields are skipped, as protobuf wants: whoever adds one that matters raises `minReaderVersion`.
 */
export function decodeResource(bytes: Uint8Array): PolicyResource {
  const wire = decodeMessage(bytes);
  try {
    return readCase(wire);
  } catch (error) {
    if (!(error instanceof ResourceDecodeError) || wire.minReaderVersion <= READER_VERSION) throw error;
    const needs = `needs reader version ${wire.minReaderVersion}, this is ${READER_VERSION}`;
    throw new ResourceDecodeError("READER_TOO_OLD", `${error.message} (${needs})`, { cause: error });
  }
}

function decodeMessage(bytes: Uint8Array): WireOutput {
  try {
    return message.decode(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ResourceDecodeError("MALFORMED_BYTES", `policy resource of ${bytes.length} bytes: ${reason}`, { cause });
  }
}

function minReaderVersionOf(resource: PolicyResource): number {
  return "meta" in resource ? resource.meta.minReaderVersion : resource.minReaderVersion;
}

function writeCase(resource: PolicyResource): Wire {
  switch (resource.kind) {
    case "RequestAuthentication":
      return { requestAuthentication: writeRequestAuthentication(resource) };
    case "AuthorizationPolicy":
      return { authorizationPolicy: writeAuthorizationPolicy(resource) };
    case "VirtualService":
      return { virtualService: writeVirtualService(resource) };
    case "Gateway":
      return { gateway: writeGateway(resource) };
    case "KeySet":
      return { keySet: writeKeySet(resource) };
    case "MeshConfig":
      return { meshConfig: writeMeshConfig(resource) };
    case "ExtensionProvider":
      return { extensionProvider: writeExtensionProvider(resource) };
  }
}

function readCase(wire: WireOutput): PolicyResource {
  const kind = onlyCase(wire, CASES, "resource");
  switch (kind) {
    case "requestAuthentication":
      return readRequestAuthentication(required(wire[kind], kind), wire.minReaderVersion, kind);
    case "authorizationPolicy":
      return readAuthorizationPolicy(required(wire[kind], kind), wire.minReaderVersion, kind);
    case "virtualService":
      return readVirtualService(required(wire[kind], kind), wire.minReaderVersion, kind);
    case "gateway":
      return readGateway(required(wire[kind], kind), wire.minReaderVersion, kind);
    case "keySet":
      return readKeySet(required(wire[kind], kind), wire.minReaderVersion, kind);
    case "meshConfig":
      return readMeshConfig(required(wire[kind], kind), wire.minReaderVersion, kind);
    case "extensionProvider":
      return readExtensionProvider(required(wire[kind], kind), wire.minReaderVersion, kind);
  }
}
