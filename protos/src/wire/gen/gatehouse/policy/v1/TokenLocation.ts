// Original file: gatehouse/policy/v1/request_authentication.proto


/**
 * A request header.
 */
export interface _gatehouse_policy_v1_TokenLocation_Header {
  /**
   * Lower case.
   */
  'name'?: (string);
  /**
   * What stands before the token, blank included.
   */
  'prefix'?: (string);
}

/**
 * A request header.
 */
export interface _gatehouse_policy_v1_TokenLocation_Header__Output {
  /**
   * Lower case.
   */
  'name': (string);
  /**
   * What stands before the token, blank included.
   */
  'prefix': (string);
}

/**
 * One place where a token may stand.
 */
export interface TokenLocation {
  /**
   * A request header.
   */
  'header'?: (_gatehouse_policy_v1_TokenLocation_Header | null);
  /**
   * A query parameter, by name.
   */
  'param'?: (string);
  /**
   * A cookie, by name.
   */
  'cookie'?: (string);
  /**
   * Exactly one must be set.
   */
  'location'?: "header"|"param"|"cookie";
}

/**
 * One place where a token may stand.
 */
export interface TokenLocation__Output {
  /**
   * A request header.
   */
  'header'?: (_gatehouse_policy_v1_TokenLocation_Header__Output | null);
  /**
   * A query parameter, by name.
   */
  'param'?: (string);
  /**
   * A cookie, by name.
   */
  'cookie'?: (string);
  /**
   * Exactly one must be set.
   */
  'location'?: "header"|"param"|"cookie";
}
