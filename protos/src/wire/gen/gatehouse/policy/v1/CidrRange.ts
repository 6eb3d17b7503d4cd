// Original file: gatehouse/policy/v1/authorization_policy.proto


/**
 * A range of addresses.
 */
export interface CidrRange {
  /**
   * IPv4 or IPv6 text; host bits are ignored.
   */
  'address'?: (string);
  /**
   * Bits that count.
   */
  'prefixLength'?: (number);
}

/**
 * A range of addresses.
 */
export interface CidrRange__Output {
  /**
   * IPv4 or IPv6 text; host bits are ignored.
   */
  'address': (string);
  /**
   * Bits that count.
   */
  'prefixLength': (number);
}
