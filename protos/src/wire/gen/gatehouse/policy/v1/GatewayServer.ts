// Original file: gatehouse/policy/v1/gateway.proto


/**
 * One listener of a gateway.
 */
export interface GatewayServer {
  /**
   * Port number.
   */
  'port'?: (number);
  /**
   * Protocol as written.
   */
  'protocol'?: (string);
  /**
   * `host` or `namespace/host`, lower case.
   */
  'hosts'?: (string)[];
  /**
   * Plain requests are redirected to https.
   */
  'httpsRedirect'?: (boolean);
}

/**
 * One listener of a gateway.
 */
export interface GatewayServer__Output {
  /**
   * Port number.
   */
  'port': (number);
  /**
   * Protocol as written.
   */
  'protocol': (string);
  /**
   * `host` or `namespace/host`, lower case.
   */
  'hosts': (string)[];
  /**
   * Plain requests are redirected to https.
   */
  'httpsRedirect': (boolean);
}
