// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { StringMatch as _gatehouse_policy_v1_StringMatch, StringMatch__Output as _gatehouse_policy_v1_StringMatch__Output } from '../../../gatehouse/policy/v1/StringMatch.ts';

/**
 * One value of dynamic metadata.
 */
export interface FilterMetadataMatch {
  /**
   * The metadata is a list, and its elements are compared.
   */
  'list'?: (boolean);
  /**
   * The pattern.
   */
  'match'?: (_gatehouse_policy_v1_StringMatch | null);
}

/**
 * One value of dynamic metadata.
 */
export interface FilterMetadataMatch__Output {
  /**
   * The metadata is a list, and its elements are compared.
   */
  'list': (boolean);
  /**
   * The pattern.
   */
  'match': (_gatehouse_policy_v1_StringMatch__Output | null);
}
