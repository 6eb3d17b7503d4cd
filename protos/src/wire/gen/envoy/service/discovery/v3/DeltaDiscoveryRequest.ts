// Original file: envoy/service/discovery/v3/discovery.proto

import type { Node as _envoy_config_core_v3_Node, Node__Output as _envoy_config_core_v3_Node__Output } from '../../../../envoy/config/core/v3/Node.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../../../google/rpc/Status.ts';

/**
 * One pair of `initial_resource_versions`.
 */
export interface _envoy_service_discovery_v3_DeltaDiscoveryRequest_InitialResourceVersionsEntry {
  /**
   * Name of a resource.
   */
  'key'?: (string);
  /**
   * Its version.
   */
  'value'?: (string);
}

/**
 * One pair of `initial_resource_versions`.
 */
export interface _envoy_service_discovery_v3_DeltaDiscoveryRequest_InitialResourceVersionsEntry__Output {
  /**
   * Name of a resource.
   */
  'key': (string);
  /**
   * Its version.
   */
  'value': (string);
}

/**
 * What a client wants, has, or thinks of a response.
 */
export interface DeltaDiscoveryRequest {
  /**
   * Who asks; in the first request of a stream.
   */
  'node'?: (_envoy_config_core_v3_Node | null);
  /**
   * Which type of resource this is about.
   */
  'typeUrl'?: (string);
  /**
   * Names to add to the subscription; `*` means all.
   */
  'resourceNamesSubscribe'?: (string)[];
  /**
   * Names to take from the subscription.
   */
  'resourceNamesUnsubscribe'?: (string)[];
  /**
   * What the client holds already; in the first request of a stream and type.
   */
  'initialResourceVersions'?: (_envoy_service_discovery_v3_DeltaDiscoveryRequest_InitialResourceVersionsEntry)[];
  /**
   * Nonce of the response that this answers, or empty.
   */
  'responseNonce'?: (string);
  /**
   * Present in a NACK: why the response was refused.
   */
  'errorDetail'?: (_google_rpc_Status | null);
}

/**
 * What a client wants, has, or thinks of a response.
 */
export interface DeltaDiscoveryRequest__Output {
  /**
   * Who asks; in the first request of a stream.
   */
  'node': (_envoy_config_core_v3_Node__Output | null);
  /**
   * Which type of resource this is about.
   */
  'typeUrl': (string);
  /**
   * Names to add to the subscription; `*` means all.
   */
  'resourceNamesSubscribe': (string)[];
  /**
   * Names to take from the subscription.
   */
  'resourceNamesUnsubscribe': (string)[];
  /**
   * What the client holds already; in the first request of a stream and type.
   */
  'initialResourceVersions': (_envoy_service_discovery_v3_DeltaDiscoveryRequest_InitialResourceVersionsEntry__Output)[];
  /**
   * Nonce of the response that this answers, or empty.
   */
  'responseNonce': (string);
  /**
   * Present in a NACK: why the response was refused.
   */
  'errorDetail': (_google_rpc_Status__Output | null);
}
