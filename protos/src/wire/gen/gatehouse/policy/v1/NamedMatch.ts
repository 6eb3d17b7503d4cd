// Original file: gatehouse/policy/v1/http_match.proto

import type { StringMatch as _gatehouse_policy_v1_StringMatch, StringMatch__Output as _gatehouse_policy_v1_StringMatch__Output } from '../../../gatehouse/policy/v1/StringMatch.ts';

/**
 * A pattern for the value behind a name: a header (lower case, or pseudo header) or a query parameter.
 */
export interface NamedMatch {
  /**
   * Whose value.
   */
  'name'?: (string);
  /**
   * The pattern.
   */
  'match'?: (_gatehouse_policy_v1_StringMatch | null);
}

/**
 * A pattern for the value behind a name: a header (lower case, or pseudo header) or a query parameter.
 */
export interface NamedMatch__Output {
  /**
   * Whose value.
   */
  'name': (string);
  /**
   * The pattern.
   */
  'match': (_gatehouse_policy_v1_StringMatch__Output | null);
}
