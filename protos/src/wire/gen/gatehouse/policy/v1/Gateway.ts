// Original file: gatehouse/policy/v1/gateway.proto

import type { ObjectMeta as _gatehouse_policy_v1_ObjectMeta, ObjectMeta__Output as _gatehouse_policy_v1_ObjectMeta__Output } from '../../../gatehouse/policy/v1/ObjectMeta.ts';
import type { Label as _gatehouse_policy_v1_Label, Label__Output as _gatehouse_policy_v1_Label__Output } from '../../../gatehouse/policy/v1/Label.ts';
import type { GatewayServer as _gatehouse_policy_v1_GatewayServer, GatewayServer__Output as _gatehouse_policy_v1_GatewayServer__Output } from '../../../gatehouse/policy/v1/GatewayServer.ts';

/**
 * Which workloads serve which hosts and ports.
 */
export interface Gateway {
  /**
   * Whose gateway it is.
   */
  'meta'?: (_gatehouse_policy_v1_ObjectMeta | null);
  /**
   * Labels of the workloads that serve it.
   */
  'selector'?: (_gatehouse_policy_v1_Label)[];
  /**
   * In the order written.
   */
  'servers'?: (_gatehouse_policy_v1_GatewayServer)[];
}

/**
 * Which workloads serve which hosts and ports.
 */
export interface Gateway__Output {
  /**
   * Whose gateway it is.
   */
  'meta': (_gatehouse_policy_v1_ObjectMeta__Output | null);
  /**
   * Labels of the workloads that serve it.
   */
  'selector': (_gatehouse_policy_v1_Label__Output)[];
  /**
   * In the order written.
   */
  'servers': (_gatehouse_policy_v1_GatewayServer__Output)[];
}
