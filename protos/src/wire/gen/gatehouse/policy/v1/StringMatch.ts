// Original file: gatehouse/policy/v1/string_match.proto


/**
 * Any value. What counts as a value depends on the place.
 */
export interface _gatehouse_policy_v1_StringMatch_Present {
}

/**
 * Any value. What counts as a value depends on the place.
 */
export interface _gatehouse_policy_v1_StringMatch_Present__Output {
}

/**
 * How one text is compared. Exactly one must be set; not every place allows every kind.
 */
export interface StringMatch {
  /**
   * The whole text.
   */
  'exact'?: (string);
  /**
   * The beginning.
   */
  'prefix'?: (string);
  /**
   * The end.
   */
  'suffix'?: (string);
  /**
   * RE2 syntax, whole text. In VirtualService only.
   */
  'regex'?: (string);
  /**
   * Any value.
   */
  'present'?: (_gatehouse_policy_v1_StringMatch_Present | null);
  /**
   * A path with `{*}` (one segment) and `{**}` (any rest). In paths of AuthorizationPolicy only.
   */
  'template'?: (string);
  /**
   * Exactly one must be set.
   */
  'match'?: "exact"|"prefix"|"suffix"|"regex"|"present"|"template";
}

/**
 * How one text is compared. Exactly one must be set; not every place allows every kind.
 */
export interface StringMatch__Output {
  /**
   * The whole text.
   */
  'exact'?: (string);
  /**
   * The beginning.
   */
  'prefix'?: (string);
  /**
   * The end.
   */
  'suffix'?: (string);
  /**
   * RE2 syntax, whole text. In VirtualService only.
   */
  'regex'?: (string);
  /**
   * Any value.
   */
  'present'?: (_gatehouse_policy_v1_StringMatch_Present__Output | null);
  /**
   * A path with `{*}` (one segment) and `{**}` (any rest). In paths of AuthorizationPolicy only.
   */
  'template'?: (string);
  /**
   * Exactly one must be set.
   */
  'match'?: "exact"|"prefix"|"suffix"|"regex"|"present"|"template";
}
