// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { RequestPrincipalMatch as _gatehouse_policy_v1_RequestPrincipalMatch, RequestPrincipalMatch__Output as _gatehouse_policy_v1_RequestPrincipalMatch__Output } from '../../../gatehouse/policy/v1/RequestPrincipalMatch.ts';

/**
 * Issuer and subject of a token.
 */
export interface RequestPrincipalComparison {
  /**
   * One must match.
   */
  'values'?: (_gatehouse_policy_v1_RequestPrincipalMatch)[];
  /**
   * None may match.
   */
  'notValues'?: (_gatehouse_policy_v1_RequestPrincipalMatch)[];
}

/**
 * Issuer and subject of a token.
 */
export interface RequestPrincipalComparison__Output {
  /**
   * One must match.
   */
  'values': (_gatehouse_policy_v1_RequestPrincipalMatch__Output)[];
  /**
   * None may match.
   */
  'notValues': (_gatehouse_policy_v1_RequestPrincipalMatch__Output)[];
}
