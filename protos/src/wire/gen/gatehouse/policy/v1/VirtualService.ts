// Original file: gatehouse/policy/v1/virtual_service.proto

import type { ObjectMeta as _gatehouse_policy_v1_ObjectMeta, ObjectMeta__Output as _gatehouse_policy_v1_ObjectMeta__Output } from '../../../gatehouse/policy/v1/ObjectMeta.ts';
import type { HttpRoute as _gatehouse_policy_v1_HttpRoute, HttpRoute__Output as _gatehouse_policy_v1_HttpRoute__Output } from '../../../gatehouse/policy/v1/HttpRoute.ts';
import type { GatewayHost as _gatehouse_policy_v1_GatewayHost, GatewayHost__Output as _gatehouse_policy_v1_GatewayHost__Output } from '../../../gatehouse/policy/v1/GatewayHost.ts';

/**
 * HTTP routes for some hosts at some gateways.
 */
export interface VirtualService {
  /**
   * Whose routes they are.
   */
  'meta'?: (_gatehouse_policy_v1_ObjectMeta | null);
  /**
   * Lower case, whole names or with `*`; empty means a delegate.
   */
  'hosts'?: (string)[];
  /**
   * `namespace/name`, or `mesh`.
   */
  'gateways'?: (string)[];
  /**
   * `*`, `.`, `~` or namespaces; empty means `*`.
   */
  'exportTo'?: (string)[];
  /**
   * The first that matches wins.
   */
  'http'?: (_gatehouse_policy_v1_HttpRoute)[];
  /**
   * Routes were left out, so the hosts are served even where no route is left.
   */
  'keepsHosts'?: (boolean);
  /**
   * Hosts that belong to another namespace: no routes there. Needs reader version 3.
   */
  'refusedHosts'?: (_gatehouse_policy_v1_GatewayHost)[];
}

/**
 * HTTP routes for some hosts at some gateways.
 */
export interface VirtualService__Output {
  /**
   * Whose routes they are.
   */
  'meta': (_gatehouse_policy_v1_ObjectMeta__Output | null);
  /**
   * Lower case, whole names or with `*`; empty means a delegate.
   */
  'hosts': (string)[];
  /**
   * `namespace/name`, or `mesh`.
   */
  'gateways': (string)[];
  /**
   * `*`, `.`, `~` or namespaces; empty means `*`.
   */
  'exportTo': (string)[];
  /**
   * The first that matches wins.
   */
  'http': (_gatehouse_policy_v1_HttpRoute__Output)[];
  /**
   * Routes were left out, so the hosts are served even where no route is left.
   */
  'keepsHosts': (boolean);
  /**
   * Hosts that belong to another namespace: no routes there. Needs reader version 3.
   */
  'refusedHosts': (_gatehouse_policy_v1_GatewayHost__Output)[];
}
