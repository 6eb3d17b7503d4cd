// Original file: gatehouse/policy/v1/virtual_service.proto


/**
 * A fixed answer.
 */
export interface DirectResponse {
  /**
   * HTTP status.
   */
  'status'?: (number);
  /**
   * Body, or empty.
   */
  'body'?: (string);
}

/**
 * A fixed answer.
 */
export interface DirectResponse__Output {
  /**
   * HTTP status.
   */
  'status': (number);
  /**
   * Body, or empty.
   */
  'body': (string);
}
