import {
  type DeltaDiscoveryRequest__Output,
  type DeltaDiscoveryResponse,
  decodeUnenforceableResources,
  type Status__Output,
  UNENFORCEABLE_RESOURCES_TYPE_URL,
} from "@gatehouse/protos/wire";
import type { Refusal, SessionRequest, SessionResponse } from "./session.ts";

/** Reads a request of the wire. */
export function fromWire(message: DeltaDiscoveryRequest__Output): SessionRequest {
  return {
    subscribe: message.resourceNamesSubscribe,
    unsubscribe: message.resourceNamesUnsubscribe,
    initialVersions: new Map(message.initialResourceVersions.map(({ key, value }) => [key, value])),
    nonce: message.responseNonce,
    refusal: message.errorDetail === null ? null : readRefusal(message.errorDetail),
  };
}

/** Writes a response; the resources' bytes go in as they are. @param typeUrl of all of them */
export function toWire(response: SessionResponse, typeUrl: string): DeltaDiscoveryResponse {
  return {
    typeUrl,
    nonce: response.nonce,
    systemVersionInfo: response.version,
    resources: response.resources.map(({ name, version, bytes }) => ({
      name,
      version,
      resource: { type_url: typeUrl, value: bytes },
    })),
    removedResources: [...response.removed],
  };
}

function readRefusal({ message, details }: Status__Output): Refusal {
  const named = details.filter((detail) => detail.type_url === UNENFORCEABLE_RESOURCES_TYPE_URL);
  return { message, resources: named.flatMap((detail) => decodeUnenforceableResources(detail.value)) };
}
