// Original file: gatehouse/policy/v1/virtual_service.proto


/**
 * A part of the path found by pattern.
 */
export interface _gatehouse_policy_v1_Rewrite_Regex {
  /**
   * RE2 syntax.
   */
  'match'?: (string);
  /**
   * What stands in its place.
   */
  'rewrite'?: (string);
}

/**
 * A part of the path found by pattern.
 */
export interface _gatehouse_policy_v1_Rewrite_Regex__Output {
  /**
   * RE2 syntax.
   */
  'match': (string);
  /**
   * What stands in its place.
   */
  'rewrite': (string);
}

/**
 * Changes of path and authority.
 */
export interface Rewrite {
  /**
   * Replaces the matched prefix or path; absent: path kept.
   */
  'uri'?: (string);
  /**
   * Absent: not set.
   */
  'uriRegex'?: (_gatehouse_policy_v1_Rewrite_Regex | null);
  /**
   * Empty: kept.
   */
  'authority'?: (string);
  '_uri'?: "uri";
}

/**
 * Changes of path and authority.
 */
export interface Rewrite__Output {
  /**
   * Replaces the matched prefix or path; absent: path kept.
   */
  'uri'?: (string);
  /**
   * Absent: not set.
   */
  'uriRegex': (_gatehouse_policy_v1_Rewrite_Regex__Output | null);
  /**
   * Empty: kept.
   */
  'authority': (string);
  '_uri'?: "uri";
}
