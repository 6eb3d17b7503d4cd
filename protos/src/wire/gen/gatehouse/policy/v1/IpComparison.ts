// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { CidrRange as _gatehouse_policy_v1_CidrRange, CidrRange__Output as _gatehouse_policy_v1_CidrRange__Output } from '../../../gatehouse/policy/v1/CidrRange.ts';

/**
 * Address ranges.
 */
export interface IpComparison {
  /**
   * One must match.
   */
  'values'?: (_gatehouse_policy_v1_CidrRange)[];
  /**
   * None may match.
   */
  'notValues'?: (_gatehouse_policy_v1_CidrRange)[];
}

/**
 * Address ranges.
 */
export interface IpComparison__Output {
  /**
   * One must match.
   */
  'values': (_gatehouse_policy_v1_CidrRange__Output)[];
  /**
   * None may match.
   */
  'notValues': (_gatehouse_policy_v1_CidrRange__Output)[];
}
