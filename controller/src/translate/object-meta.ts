import type { ObjectMeta } from "@gatehouse/protos";
import type { ObjectMetadata } from "../resources/object.ts";

/** What `meta` of every resource is made of. @param unenforceable why servers can't enforce the object, or empty */
export function toObjectMeta(metadata: ObjectMetadata, unenforceable: string): ObjectMeta {
  const createdAtMs = Date.parse(metadata.creationTimestamp ?? "");
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    createdAtMs: Number.isNaN(createdAtMs) ? 0 : createdAtMs,
    minReaderVersion: 1,
    unenforceable,
  };
}
