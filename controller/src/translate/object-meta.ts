import type { ObjectMeta } from "@gatehouse/protos";
import type { ObjectMetadata } from "../resources/object.ts";

/** What `meta` of every resource is made of. @param unenforceable why servers can't enforce the object, or empty */
export function toObjectMeta(metadata: ObjectMetadata, unenforceable: string): ObjectMeta {
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    createdAtMs: toCreatedAtMs(metadata.creationTimestamp ?? ""),
    minReaderVersion: 1,
    unenforceable,
  };
}

/** @param creationTimestamp RFC 3339, or anything else. @returns milliseconds since the epoch, 0 when it can't be told */
export function toCreatedAtMs(creationTimestamp: string): number {
  const createdAtMs = Date.parse(creationTimestamp);
  return Number.isNaN(createdAtMs) ? 0 : createdAtMs;
}
