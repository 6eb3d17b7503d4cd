// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { StringMatch as _gatehouse_policy_v1_StringMatch, StringMatch__Output as _gatehouse_policy_v1_StringMatch__Output } from '../../../gatehouse/policy/v1/StringMatch.ts';

/**
 * Both must hold.
 */
export interface RequestPrincipalMatch {
  /**
   * Compared with `iss`.
   */
  'issuer'?: (_gatehouse_policy_v1_StringMatch | null);
  /**
   * Compared with `sub`.
   */
  'subject'?: (_gatehouse_policy_v1_StringMatch | null);
}

/**
 * Both must hold.
 */
export interface RequestPrincipalMatch__Output {
  /**
   * Compared with `iss`.
   */
  'issuer': (_gatehouse_policy_v1_StringMatch__Output | null);
  /**
   * Compared with `sub`.
   */
  'subject': (_gatehouse_policy_v1_StringMatch__Output | null);
}
