// Original file: envoy/config/core/v3/address.proto


/**
 * A unix domain socket.
 */
export interface Pipe {
  /**
   * Its path.
   */
  'path'?: (string);
  /**
   * Its permissions.
   */
  'mode'?: (number);
}

/**
 * A unix domain socket.
 */
export interface Pipe__Output {
  /**
   * Its path.
   */
  'path': (string);
  /**
   * Its permissions.
   */
  'mode': (number);
}
