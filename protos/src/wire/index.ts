/** The wire form of the model, and the gRPC services that both processes speak. */
export { decodeResource, encodeResource, POLICY_RESOURCE_TYPE_URL } from "./codec.ts";
export { ResourceDecodeError, ResourceEncodeError } from "./errors.ts";
export type { Address__Output } from "./gen/envoy/config/core/v3/Address.ts";
export type { HeaderMap, HeaderMap__Output } from "./gen/envoy/config/core/v3/HeaderMap.ts";
export type { HeaderValue, HeaderValue__Output } from "./gen/envoy/config/core/v3/HeaderValue.ts";
export type { HeaderValueOption, HeaderValueOption__Output } from "./gen/envoy/config/core/v3/HeaderValueOption.ts";
export type { Metadata__Output } from "./gen/envoy/config/core/v3/Metadata.ts";
export type { Node, Node__Output } from "./gen/envoy/config/core/v3/Node.ts";
export type { AttributeContext__Output } from "./gen/envoy/service/auth/v3/AttributeContext.ts";
export type {
  AuthorizationClient,
  AuthorizationDefinition,
  AuthorizationHandlers,
} from "./gen/envoy/service/auth/v3/Authorization.ts";
export type { CheckRequest, CheckRequest__Output } from "./gen/envoy/service/auth/v3/CheckRequest.ts";
export type { CheckResponse, CheckResponse__Output } from "./gen/envoy/service/auth/v3/CheckResponse.ts";
export type {
  DeniedHttpResponse,
  DeniedHttpResponse__Output,
} from "./gen/envoy/service/auth/v3/DeniedHttpResponse.ts";
export type { OkHttpResponse, OkHttpResponse__Output } from "./gen/envoy/service/auth/v3/OkHttpResponse.ts";
export type {
  AggregatedDiscoveryServiceClient,
  AggregatedDiscoveryServiceDefinition,
  AggregatedDiscoveryServiceHandlers,
} from "./gen/envoy/service/discovery/v3/AggregatedDiscoveryService.ts";
export type {
  DeltaDiscoveryRequest,
  DeltaDiscoveryRequest__Output,
} from "./gen/envoy/service/discovery/v3/DeltaDiscoveryRequest.ts";
export type {
  DeltaDiscoveryResponse,
  DeltaDiscoveryResponse__Output,
} from "./gen/envoy/service/discovery/v3/DeltaDiscoveryResponse.ts";
export type { Resource, Resource__Output } from "./gen/envoy/service/discovery/v3/Resource.ts";
export type { Any, Any__Output } from "./gen/google/protobuf/Any.ts";
export type { Struct, Struct__Output } from "./gen/google/protobuf/Struct.ts";
export type { Value, Value__Output } from "./gen/google/protobuf/Value.ts";
export type { Status, Status__Output } from "./gen/google/rpc/Status.ts";
export type { HealthClient, HealthDefinition, HealthHandlers } from "./gen/grpc/health/v1/Health.ts";
export type { HealthCheckRequest, HealthCheckRequest__Output } from "./gen/grpc/health/v1/HealthCheckRequest.ts";
export type { HealthCheckResponse, HealthCheckResponse__Output } from "./gen/grpc/health/v1/HealthCheckResponse.ts";
export {
  type DiscoveryService,
  type ExtAuthzService,
  type HealthService,
  loadDiscovery,
  loadExtAuthz,
  loadHealth,
  loadOptions,
  protoRoot,
} from "./load.ts";
export {
  decodeUnenforceableResources,
  encodeUnenforceableResources,
  UNENFORCEABLE_RESOURCES_TYPE_URL,
  type UnenforceableResource,
} from "./unenforceable.ts";
export { resourceVersion, SetVersion, setVersion } from "./version.ts";
export { decodeWorkload, encodeWorkload, WORKLOAD_TYPE_URL } from "./workload.ts";
