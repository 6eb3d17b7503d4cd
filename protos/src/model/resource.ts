import type { AuthorizationPolicy } from "./authorization.ts";
import type { KeySet, RequestAuthentication } from "./jwt.ts";
import type { ExtensionProvider, MeshConfig } from "./mesh.ts";
import type { Gateway, VirtualService } from "./routing.ts";

/** Everything that travels from the controller to the authz-servers. One union member per `oneof` case of the wire form. */
export type PolicyResource =
  | RequestAuthentication
  | AuthorizationPolicy
  | VirtualService
  | Gateway
  | KeySet
  | MeshConfig
  | ExtensionProvider;

/** What every resource that stands for a Kubernetes object carries. */
export interface ObjectMeta {
  readonly namespace: string;
  readonly name: string;
  /** metadata.creationTimestamp in milliseconds since the epoch; 0 when unknown. Orders objects: oldest first, then by name. */
  readonly createdAtMs: number;
  /** The oldest reader that understands all of this resource; a server with a lower READER_VERSION refuses it. */
  readonly minReaderVersion: number;
  /**
   * Why a server could not enforce this resource, or empty. A server treats a non-empty reason as: deny (AuthorizationPolicy),
   * reject every token (RequestAuthentication), answer 404 (VirtualService), each within the scope of the object.
   */
  readonly unenforceable: string;
}

/** The reader version of this code. Raise it together with `minReaderVersion` of resources that older servers would misread. */
export const READER_VERSION = 3;

/** Names the object that a rule, a decision or a diagnostic comes from. */
export interface PolicyRef {
  readonly kind: PolicyResource["kind"];
  readonly namespace: string;
  readonly name: string;
}

/** Which workloads of its namespace (of the whole mesh, in the root namespace) a policy applies to. */
export type PolicyTarget =
  | { readonly kind: "namespace" }
  | { readonly kind: "selector"; readonly matchLabels: Labels }
  | { readonly kind: "targetRefs"; readonly refs: readonly TargetRef[] };

/** Label or attribute pairs in the order written. A list, not an object: names are chosen by others. */
export type Labels = readonly { readonly name: string; readonly value: string }[];

/** One entry of `targetRefs`; group is empty for the core API. */
export interface TargetRef {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** The xDS resource name: `Kind/namespace/name`, unique and stable. */
export function resourceName(resource: PolicyResource): string {
  switch (resource.kind) {
    case "KeySet":
      return keySetResourceName(resource.name);
    case "MeshConfig":
      return MESH_CONFIG_RESOURCE_NAME;
    case "ExtensionProvider":
      return `ExtensionProvider//${resource.name}`;
    case "RequestAuthentication":
    case "AuthorizationPolicy":
    case "VirtualService":
    case "Gateway":
      return `${resource.kind}/${resource.meta.namespace}/${resource.meta.name}`;
  }
}

/** The resource name of the one MeshConfig. */
export const MESH_CONFIG_RESOURCE_NAME = "MeshConfig//default";

/** The resource name of a key set. @param name `KeySet.name`, as JwtRule.keySet refers to it */
export function keySetResourceName(name: string): string {
  return `KeySet//${name}`;
}
