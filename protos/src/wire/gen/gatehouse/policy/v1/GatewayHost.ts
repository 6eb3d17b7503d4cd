// Original file: gatehouse/policy/v1/virtual_service.proto


/**
 * A host at one gateway.
 */
export interface GatewayHost {
  /**
   * `namespace/name`.
   */
  'gateway'?: (string);
  /**
   * What a server of the Gateway and the VirtualService have in common.
   */
  'host'?: (string);
}

/**
 * A host at one gateway.
 */
export interface GatewayHost__Output {
  /**
   * `namespace/name`.
   */
  'gateway': (string);
  /**
   * What a server of the Gateway and the VirtualService have in common.
   */
  'host': (string);
}
