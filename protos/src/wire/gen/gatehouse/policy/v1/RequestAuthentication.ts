// Original file: gatehouse/policy/v1/request_authentication.proto

import type { ObjectMeta as _gatehouse_policy_v1_ObjectMeta, ObjectMeta__Output as _gatehouse_policy_v1_ObjectMeta__Output } from '../../../gatehouse/policy/v1/ObjectMeta.ts';
import type { PolicyTarget as _gatehouse_policy_v1_PolicyTarget, PolicyTarget__Output as _gatehouse_policy_v1_PolicyTarget__Output } from '../../../gatehouse/policy/v1/PolicyTarget.ts';
import type { JwtRule as _gatehouse_policy_v1_JwtRule, JwtRule__Output as _gatehouse_policy_v1_JwtRule__Output } from '../../../gatehouse/policy/v1/JwtRule.ts';

/**
 * End-user authentication: which tokens are believed, and where they are looked for.
 */
export interface RequestAuthentication {
  /**
   * Whose policy it is.
   */
  'meta'?: (_gatehouse_policy_v1_ObjectMeta | null);
  /**
   * Which workloads it applies to.
   */
  'target'?: (_gatehouse_policy_v1_PolicyTarget | null);
  /**
   * One per trusted issuer, in the order written.
   */
  'jwtRules'?: (_gatehouse_policy_v1_JwtRule)[];
}

/**
 * End-user authentication: which tokens are believed, and where they are looked for.
 */
export interface RequestAuthentication__Output {
  /**
   * Whose policy it is.
   */
  'meta': (_gatehouse_policy_v1_ObjectMeta__Output | null);
  /**
   * Which workloads it applies to.
   */
  'target': (_gatehouse_policy_v1_PolicyTarget__Output | null);
  /**
   * One per trusted issuer, in the order written.
   */
  'jwtRules': (_gatehouse_policy_v1_JwtRule__Output)[];
}
