// Original file: envoy/service/discovery/v3/discovery.proto

import type { Resource as _envoy_service_discovery_v3_Resource, Resource__Output as _envoy_service_discovery_v3_Resource__Output } from '../../../../envoy/service/discovery/v3/Resource.ts';
import type { ControlPlane as _envoy_config_core_v3_ControlPlane, ControlPlane__Output as _envoy_config_core_v3_ControlPlane__Output } from '../../../../envoy/config/core/v3/ControlPlane.ts';

/**
 * What changed.
 */
export interface DeltaDiscoveryResponse {
  /**
   * Version of the whole set.
   */
  'systemVersionInfo'?: (string);
  /**
   * New and changed resources.
   */
  'resources'?: (_envoy_service_discovery_v3_Resource)[];
  /**
   * Which type of resource this is about.
   */
  'typeUrl'?: (string);
  /**
   * Names this response in the answer.
   */
  'nonce'?: (string);
  /**
   * Names of resources that are gone.
   */
  'removedResources'?: (string)[];
  /**
   * Who sent it.
   */
  'controlPlane'?: (_envoy_config_core_v3_ControlPlane | null);
}

/**
 * What changed.
 */
export interface DeltaDiscoveryResponse__Output {
  /**
   * Version of the whole set.
   */
  'systemVersionInfo': (string);
  /**
   * New and changed resources.
   */
  'resources': (_envoy_service_discovery_v3_Resource__Output)[];
  /**
   * Which type of resource this is about.
   */
  'typeUrl': (string);
  /**
   * Names this response in the answer.
   */
  'nonce': (string);
  /**
   * Names of resources that are gone.
   */
  'removedResources': (string)[];
  /**
   * Who sent it.
   */
  'controlPlane': (_envoy_config_core_v3_ControlPlane__Output | null);
}
