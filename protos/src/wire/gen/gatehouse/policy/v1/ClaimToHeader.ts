// Original file: gatehouse/policy/v1/request_authentication.proto


/**
 * Copies a claim of the verified token to a request header.
 */
export interface ClaimToHeader {
  /**
   * Lower case.
   */
  'header'?: (string);
  /**
   * Path into the payload.
   */
  'claim'?: (string)[];
}

/**
 * Copies a claim of the verified token to a request header.
 */
export interface ClaimToHeader__Output {
  /**
   * Lower case.
   */
  'header': (string);
  /**
   * Path into the payload.
   */
  'claim': (string)[];
}
