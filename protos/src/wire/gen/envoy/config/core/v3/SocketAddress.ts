// Original file: envoy/config/core/v3/address.proto


// Original file: envoy/config/core/v3/address.proto

/**
 * Transport.
 */
export const _envoy_config_core_v3_SocketAddress_Protocol = {
  /**
   * TCP.
   */
  TCP: 'TCP',
  /**
   * UDP.
   */
  UDP: 'UDP',
} as const;

/**
 * Transport.
 */
export type _envoy_config_core_v3_SocketAddress_Protocol =
  /**
   * TCP.
   */
  | 'TCP'
  | 0
  /**
   * UDP.
   */
  | 'UDP'
  | 1

/**
 * Transport.
 */
export type _envoy_config_core_v3_SocketAddress_Protocol__Output = typeof _envoy_config_core_v3_SocketAddress_Protocol[keyof typeof _envoy_config_core_v3_SocketAddress_Protocol]

/**
 * An address of a network.
 */
export interface SocketAddress {
  /**
   * Transport.
   */
  'protocol'?: (_envoy_config_core_v3_SocketAddress_Protocol);
  /**
   * IP as text.
   */
  'address'?: (string);
  /**
   * By number.
   */
  'portValue'?: (number);
  /**
   * By name.
   */
  'namedPort'?: (string);
  /**
   * Which port.
   */
  'portSpecifier'?: "portValue"|"namedPort";
}

/**
 * An address of a network.
 */
export interface SocketAddress__Output {
  /**
   * Transport.
   */
  'protocol': (_envoy_config_core_v3_SocketAddress_Protocol__Output);
  /**
   * IP as text.
   */
  'address': (string);
  /**
   * By number.
   */
  'portValue'?: (number);
  /**
   * By name.
   */
  'namedPort'?: (string);
  /**
   * Which port.
   */
  'portSpecifier'?: "portValue"|"namedPort";
}
