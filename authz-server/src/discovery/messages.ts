import { keySetResourceName } from "@gatehouse/protos";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse__Output,
  encodeUnenforceableResources,
  POLICY_RESOURCE_TYPE_URL,
  UNENFORCEABLE_RESOURCES_TYPE_URL,
} from "@gatehouse/protos/wire";
import { status } from "@grpc/grpc-js";
import type { PolicyChange, Verdict } from "./apply.ts";

/** How many resources the text of a NACK names; all of them are in its typed detail. */
const NAMED_IN_TEXT = 10;
const NO_BYTES = new Uint8Array(0);

/** Subscribes to every resource of a type, telling what is held already. @param versions name to version */
export function firstRequest(
  nodeId: string,
  versions: ReadonlyMap<string, string>,
  typeUrl: string,
): DeltaDiscoveryRequest {
  return {
    node: { id: nodeId, userAgentName: "gatehouse-authz-server" },
    typeUrl,
    resourceNamesSubscribe: ["*"],
    initialResourceVersions: Array.from(versions, ([key, value]) => ({ key, value })),
  };
}

/** Asks for a key set although it is held: the controller fetches it anew. @param keySet `KeySet.name` */
export function hintRequest(keySet: string): DeltaDiscoveryRequest {
  return { typeUrl: POLICY_RESOURCE_TYPE_URL, resourceNamesSubscribe: [keySetResourceName(keySet)] };
}

/** A response as one change; the bytes are parts of the message. Content of a foreign type becomes empty bytes, which no decoder accepts. */
export function toChange(response: DeltaDiscoveryResponse__Output): PolicyChange {
  return {
    setVersion: response.systemVersionInfo,
    upserts: response.resources.map(({ name, version, resource }) => ({
      name,
      version,
      bytes: resource?.type_url === response.typeUrl ? resource.value : NO_BYTES,
    })),
    removed: response.removedResources,
  };
}

/** ACK, or NACK with the names and reasons of the resources that could not be enforced. */
export function toAnswer(
  { nonce, typeUrl }: Pick<DeltaDiscoveryResponse__Output, "nonce" | "typeUrl">,
  verdict: Verdict,
): DeltaDiscoveryRequest {
  const request = { typeUrl, responseNonce: nonce };
  if (verdict.kind === "applied") return request;
  const texts = verdict.errors.map(({ resource, message }) => (resource === "" ? message : `${resource}: ${message}`));
  const more = texts.length > NAMED_IN_TEXT ? `; and ${texts.length - NAMED_IN_TEXT} more` : "";
  const named = verdict.errors.filter(({ resource }) => resource !== "");
  const value = encodeUnenforceableResources(
    named.map(({ resource, message }) => ({ name: resource, reason: message })),
  );
  return {
    ...request,
    errorDetail: {
      code: status.INVALID_ARGUMENT,
      message: texts.slice(0, NAMED_IN_TEXT).join("; ") + more,
      details: named.length === 0 ? [] : [{ type_url: UNENFORCEABLE_RESOURCES_TYPE_URL, value }],
    },
  };
}
