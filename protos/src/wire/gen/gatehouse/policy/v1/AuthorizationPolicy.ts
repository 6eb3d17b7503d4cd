// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { ObjectMeta as _gatehouse_policy_v1_ObjectMeta, ObjectMeta__Output as _gatehouse_policy_v1_ObjectMeta__Output } from '../../../gatehouse/policy/v1/ObjectMeta.ts';
import type { PolicyTarget as _gatehouse_policy_v1_PolicyTarget, PolicyTarget__Output as _gatehouse_policy_v1_PolicyTarget__Output } from '../../../gatehouse/policy/v1/PolicyTarget.ts';
import type { Rule as _gatehouse_policy_v1_Rule, Rule__Output as _gatehouse_policy_v1_Rule__Output } from '../../../gatehouse/policy/v1/Rule.ts';

// Original file: gatehouse/policy/v1/authorization_policy.proto

/**
 * What a match means.
 */
export const _gatehouse_policy_v1_AuthorizationPolicy_Action = {
  /**
   * Not valid.
   */
  ACTION_UNSPECIFIED: 'ACTION_UNSPECIFIED',
  /**
   * The request may pass.
   */
  ACTION_ALLOW: 'ACTION_ALLOW',
  /**
   * The request is denied.
   */
  ACTION_DENY: 'ACTION_DENY',
  /**
   * The request is marked.
   */
  ACTION_AUDIT: 'ACTION_AUDIT',
  /**
   * An extension provider is asked.
   */
  ACTION_CUSTOM: 'ACTION_CUSTOM',
} as const;

/**
 * What a match means.
 */
export type _gatehouse_policy_v1_AuthorizationPolicy_Action =
  /**
   * Not valid.
   */
  | 'ACTION_UNSPECIFIED'
  | 0
  /**
   * The request may pass.
   */
  | 'ACTION_ALLOW'
  | 1
  /**
   * The request is denied.
   */
  | 'ACTION_DENY'
  | 2
  /**
   * The request is marked.
   */
  | 'ACTION_AUDIT'
  | 3
  /**
   * An extension provider is asked.
   */
  | 'ACTION_CUSTOM'
  | 4

/**
 * What a match means.
 */
export type _gatehouse_policy_v1_AuthorizationPolicy_Action__Output = typeof _gatehouse_policy_v1_AuthorizationPolicy_Action[keyof typeof _gatehouse_policy_v1_AuthorizationPolicy_Action]

/**
 * Which requests the selected workloads accept.
 */
export interface AuthorizationPolicy {
  /**
   * Whose policy it is.
   */
  'meta'?: (_gatehouse_policy_v1_ObjectMeta | null);
  /**
   * Which workloads it applies to.
   */
  'target'?: (_gatehouse_policy_v1_PolicyTarget | null);
  /**
   * What a match means.
   */
  'action'?: (_gatehouse_policy_v1_AuthorizationPolicy_Action);
  /**
   * Evaluated and recorded, never enforced.
   */
  'dryRun'?: (boolean);
  /**
   * Name of an extension provider; with ACTION_CUSTOM only.
   */
  'provider'?: (string);
  /**
   * The policy matches when one of them does.
   */
  'rules'?: (_gatehouse_policy_v1_Rule)[];
}

/**
 * Which requests the selected workloads accept.
 */
export interface AuthorizationPolicy__Output {
  /**
   * Whose policy it is.
   */
  'meta': (_gatehouse_policy_v1_ObjectMeta__Output | null);
  /**
   * Which workloads it applies to.
   */
  'target': (_gatehouse_policy_v1_PolicyTarget__Output | null);
  /**
   * What a match means.
   */
  'action': (_gatehouse_policy_v1_AuthorizationPolicy_Action__Output);
  /**
   * Evaluated and recorded, never enforced.
   */
  'dryRun': (boolean);
  /**
   * Name of an extension provider; with ACTION_CUSTOM only.
   */
  'provider': (string);
  /**
   * The policy matches when one of them does.
   */
  'rules': (_gatehouse_policy_v1_Rule__Output)[];
}
