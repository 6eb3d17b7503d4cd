// Original file: gatehouse/policy/v1/authorization_policy.proto


/**
 * Texts as written; the server knows how to read them.
 */
export interface TextComparison {
  /**
   * One must match.
   */
  'values'?: (string)[];
  /**
   * None may match.
   */
  'notValues'?: (string)[];
}

/**
 * Texts as written; the server knows how to read them.
 */
export interface TextComparison__Output {
  /**
   * One must match.
   */
  'values': (string)[];
  /**
   * None may match.
   */
  'notValues': (string)[];
}
