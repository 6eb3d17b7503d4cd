// Original file: envoy/config/core/v3/base.proto


/**
 * One header line.
 */
export interface HeaderValue {
  /**
   * Name.
   */
  'key'?: (string);
  /**
   * Value as text; only one of value and raw_value is set.
   */
  'value'?: (string);
  /**
   * Value as bytes.
   */
  'rawValue'?: (Buffer | Uint8Array | string);
}

/**
 * One header line.
 */
export interface HeaderValue__Output {
  /**
   * Name.
   */
  'key': (string);
  /**
   * Value as text; only one of value and raw_value is set.
   */
  'value': (string);
  /**
   * Value as bytes.
   */
  'rawValue': (Buffer);
}
