// Original file: gatehouse/policy/v1/http_match.proto

import type { StringMatch as _gatehouse_policy_v1_StringMatch, StringMatch__Output as _gatehouse_policy_v1_StringMatch__Output } from '../../../gatehouse/policy/v1/StringMatch.ts';

/**
 * A pattern for a claim of the verified token.
 */
export interface ClaimMatch {
  /**
   * Path into the payload.
   */
  'path'?: (string)[];
  /**
   * The pattern.
   */
  'match'?: (_gatehouse_policy_v1_StringMatch | null);
}

/**
 * A pattern for a claim of the verified token.
 */
export interface ClaimMatch__Output {
  /**
   * Path into the payload.
   */
  'path': (string)[];
  /**
   * The pattern.
   */
  'match': (_gatehouse_policy_v1_StringMatch__Output | null);
}
