// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { ConditionGroup as _gatehouse_policy_v1_ConditionGroup, ConditionGroup__Output as _gatehouse_policy_v1_ConditionGroup__Output } from '../../../gatehouse/policy/v1/ConditionGroup.ts';
import type { Condition as _gatehouse_policy_v1_Condition, Condition__Output as _gatehouse_policy_v1_Condition__Output } from '../../../gatehouse/policy/v1/Condition.ts';

/**
 * Matches when one of `from` holds (or there are none), one of `to` holds (or there are none), and all of `when` hold.
 */
export interface Rule {
  /**
   * Position in spec.rules, zero-based.
   */
  'index'?: (number);
  /**
   * One per `source`.
   */
  'from'?: (_gatehouse_policy_v1_ConditionGroup)[];
  /**
   * One per `operation`.
   */
  'to'?: (_gatehouse_policy_v1_ConditionGroup)[];
  /**
   * Further conditions.
   */
  'when'?: (_gatehouse_policy_v1_Condition)[];
}

/**
 * Matches when one of `from` holds (or there are none), one of `to` holds (or there are none), and all of `when` hold.
 */
export interface Rule__Output {
  /**
   * Position in spec.rules, zero-based.
   */
  'index': (number);
  /**
   * One per `source`.
   */
  'from': (_gatehouse_policy_v1_ConditionGroup__Output)[];
  /**
   * One per `operation`.
   */
  'to': (_gatehouse_policy_v1_ConditionGroup__Output)[];
  /**
   * Further conditions.
   */
  'when': (_gatehouse_policy_v1_Condition__Output)[];
}
