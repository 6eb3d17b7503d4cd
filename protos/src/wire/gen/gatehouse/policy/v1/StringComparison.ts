// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { StringMatch as _gatehouse_policy_v1_StringMatch, StringMatch__Output as _gatehouse_policy_v1_StringMatch__Output } from '../../../gatehouse/policy/v1/StringMatch.ts';

/**
 * Text patterns.
 */
export interface StringComparison {
  /**
   * One must match.
   */
  'values'?: (_gatehouse_policy_v1_StringMatch)[];
  /**
   * None may match.
   */
  'notValues'?: (_gatehouse_policy_v1_StringMatch)[];
}

/**
 * Text patterns.
 */
export interface StringComparison__Output {
  /**
   * One must match.
   */
  'values': (_gatehouse_policy_v1_StringMatch__Output)[];
  /**
   * None may match.
   */
  'notValues': (_gatehouse_policy_v1_StringMatch__Output)[];
}
