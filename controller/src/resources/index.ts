export type { ResourceKind } from "./gen/schemas.ts";
export type * from "./gen/types.ts";
export { type Manifests, parseManifests } from "./manifest.ts";
export {
  type AuthorizationPolicyObject,
  type FieldError,
  formatProblem,
  type GatewayObject,
  type InvalidObject,
  type ObjectKey,
  type ObjectMetadata,
  type Origin,
  objectKey,
  type Problem,
  type RequestAuthenticationObject,
  type ResourceObject,
  type VirtualServiceObject,
} from "./object.ts";
export { DEFAULT_NAMESPACE, type ParsedObject, parseObject } from "./parse-object.ts";
export { ResourceStore, type StoreChanges, type StoredResource } from "./store.ts";
