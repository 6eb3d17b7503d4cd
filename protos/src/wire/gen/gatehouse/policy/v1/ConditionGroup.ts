// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { Condition as _gatehouse_policy_v1_Condition, Condition__Output as _gatehouse_policy_v1_Condition__Output } from '../../../gatehouse/policy/v1/Condition.ts';

/**
 * Conditions that must all hold.
 */
export interface ConditionGroup {
  /**
   * AND-ed.
   */
  'conditions'?: (_gatehouse_policy_v1_Condition)[];
}

/**
 * Conditions that must all hold.
 */
export interface ConditionGroup__Output {
  /**
   * AND-ed.
   */
  'conditions': (_gatehouse_policy_v1_Condition__Output)[];
}
