// Original file: gatehouse/policy/v1/policy_resource.proto

import type { RequestAuthentication as _gatehouse_policy_v1_RequestAuthentication, RequestAuthentication__Output as _gatehouse_policy_v1_RequestAuthentication__Output } from '../../../gatehouse/policy/v1/RequestAuthentication.ts';
import type { AuthorizationPolicy as _gatehouse_policy_v1_AuthorizationPolicy, AuthorizationPolicy__Output as _gatehouse_policy_v1_AuthorizationPolicy__Output } from '../../../gatehouse/policy/v1/AuthorizationPolicy.ts';
import type { VirtualService as _gatehouse_policy_v1_VirtualService, VirtualService__Output as _gatehouse_policy_v1_VirtualService__Output } from '../../../gatehouse/policy/v1/VirtualService.ts';
import type { Gateway as _gatehouse_policy_v1_Gateway, Gateway__Output as _gatehouse_policy_v1_Gateway__Output } from '../../../gatehouse/policy/v1/Gateway.ts';
import type { KeySet as _gatehouse_policy_v1_KeySet, KeySet__Output as _gatehouse_policy_v1_KeySet__Output } from '../../../gatehouse/policy/v1/KeySet.ts';
import type { MeshConfig as _gatehouse_policy_v1_MeshConfig, MeshConfig__Output as _gatehouse_policy_v1_MeshConfig__Output } from '../../../gatehouse/policy/v1/MeshConfig.ts';
import type { ExtensionProvider as _gatehouse_policy_v1_ExtensionProvider, ExtensionProvider__Output as _gatehouse_policy_v1_ExtensionProvider__Output } from '../../../gatehouse/policy/v1/ExtensionProvider.ts';

/**
 * What the controller sends to authz-servers, one xDS resource each. The xDS name is `Kind/namespace/name`.
 */
export interface PolicyResource {
  /**
   * The oldest reader that understands all of this resource. A server whose reader version is lower must answer with a
   * NACK, whether it can decode the rest or not: what it does not know may be what denies.
   */
  'minReaderVersion'?: (number);
  /**
   * Which tokens are believed.
   */
  'requestAuthentication'?: (_gatehouse_policy_v1_RequestAuthentication | null);
  /**
   * Which requests are accepted.
   */
  'authorizationPolicy'?: (_gatehouse_policy_v1_AuthorizationPolicy | null);
  /**
   * Where requests at a gateway go.
   */
  'virtualService'?: (_gatehouse_policy_v1_VirtualService | null);
  /**
   * Which workloads serve which hosts.
   */
  'gateway'?: (_gatehouse_policy_v1_Gateway | null);
  /**
   * Keys that verify tokens.
   */
  'keySet'?: (_gatehouse_policy_v1_KeySet | null);
  /**
   * Settings of the whole mesh.
   */
  'meshConfig'?: (_gatehouse_policy_v1_MeshConfig | null);
  /**
   * An external authorizer.
   */
  'extensionProvider'?: (_gatehouse_policy_v1_ExtensionProvider | null);
  /**
   * Exactly one must be set; none, or one that the reader does not know, is an error.
   */
  'resource'?: "requestAuthentication"|"authorizationPolicy"|"virtualService"|"gateway"|"keySet"|"meshConfig"|"extensionProvider";
}

/**
 * What the controller sends to authz-servers, one xDS resource each. The xDS name is `Kind/namespace/name`.
 */
export interface PolicyResource__Output {
  /**
   * The oldest reader that understands all of this resource. A server whose reader version is lower must answer with a
   * NACK, whether it can decode the rest or not: what it does not know may be what denies.
   */
  'minReaderVersion': (number);
  /**
   * Which tokens are believed.
   */
  'requestAuthentication'?: (_gatehouse_policy_v1_RequestAuthentication__Output | null);
  /**
   * Which requests are accepted.
   */
  'authorizationPolicy'?: (_gatehouse_policy_v1_AuthorizationPolicy__Output | null);
  /**
   * Where requests at a gateway go.
   */
  'virtualService'?: (_gatehouse_policy_v1_VirtualService__Output | null);
  /**
   * Which workloads serve which hosts.
   */
  'gateway'?: (_gatehouse_policy_v1_Gateway__Output | null);
  /**
   * Keys that verify tokens.
   */
  'keySet'?: (_gatehouse_policy_v1_KeySet__Output | null);
  /**
   * Settings of the whole mesh.
   */
  'meshConfig'?: (_gatehouse_policy_v1_MeshConfig__Output | null);
  /**
   * An external authorizer.
   */
  'extensionProvider'?: (_gatehouse_policy_v1_ExtensionProvider__Output | null);
  /**
   * Exactly one must be set; none, or one that the reader does not know, is an error.
   */
  'resource'?: "requestAuthentication"|"authorizationPolicy"|"virtualService"|"gateway"|"keySet"|"meshConfig"|"extensionProvider";
}
