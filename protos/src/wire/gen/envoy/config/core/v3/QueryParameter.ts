// Original file: envoy/config/core/v3/base.proto


/**
 * One query parameter.
 */
export interface QueryParameter {
  /**
   * Case counts.
   */
  'key'?: (string);
  /**
   * Value.
   */
  'value'?: (string);
}

/**
 * One query parameter.
 */
export interface QueryParameter__Output {
  /**
   * Case counts.
   */
  'key': (string);
  /**
   * Value.
   */
  'value': (string);
}
