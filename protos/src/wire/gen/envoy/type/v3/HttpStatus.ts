// Original file: envoy/type/v3/http_status.proto


/**
 * An HTTP status.
 */
export interface HttpStatus {
  /**
   * An enum upstream. The bytes are the same, and a plain number can also carry codes that the enum does not list.
   */
  'code'?: (number);
}

/**
 * An HTTP status.
 */
export interface HttpStatus__Output {
  /**
   * An enum upstream. The bytes are the same, and a plain number can also carry codes that the enum does not list.
   */
  'code': (number);
}
