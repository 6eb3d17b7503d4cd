// Original file: gatehouse/policy/v1/authorization_policy.proto


/**
 * Port numbers.
 */
export interface PortComparison {
  /**
   * One must match.
   */
  'values'?: (number)[];
  /**
   * None may match.
   */
  'notValues'?: (number)[];
}

/**
 * Port numbers.
 */
export interface PortComparison__Output {
  /**
   * One must match.
   */
  'values': (number)[];
  /**
   * None may match.
   */
  'notValues': (number)[];
}
