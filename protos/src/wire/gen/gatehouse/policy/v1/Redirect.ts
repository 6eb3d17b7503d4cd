// Original file: gatehouse/policy/v1/virtual_service.proto


// Original file: gatehouse/policy/v1/virtual_service.proto

/**
 * Where a missing port comes from.
 */
export const _gatehouse_policy_v1_Redirect_DerivePort = {
  /**
   * Not valid.
   */
  DERIVE_PORT_UNSPECIFIED: 'DERIVE_PORT_UNSPECIFIED',
  /**
   * The default of the scheme.
   */
  DERIVE_PORT_FROM_PROTOCOL_DEFAULT: 'DERIVE_PORT_FROM_PROTOCOL_DEFAULT',
  /**
   * The port of the request.
   */
  DERIVE_PORT_FROM_REQUEST_PORT: 'DERIVE_PORT_FROM_REQUEST_PORT',
} as const;

/**
 * Where a missing port comes from.
 */
export type _gatehouse_policy_v1_Redirect_DerivePort =
  /**
   * Not valid.
   */
  | 'DERIVE_PORT_UNSPECIFIED'
  | 0
  /**
   * The default of the scheme.
   */
  | 'DERIVE_PORT_FROM_PROTOCOL_DEFAULT'
  | 1
  /**
   * The port of the request.
   */
  | 'DERIVE_PORT_FROM_REQUEST_PORT'
  | 2

/**
 * Where a missing port comes from.
 */
export type _gatehouse_policy_v1_Redirect_DerivePort__Output = typeof _gatehouse_policy_v1_Redirect_DerivePort[keyof typeof _gatehouse_policy_v1_Redirect_DerivePort]

/**
 * An answer with another address.
 */
export interface Redirect {
  /**
   * New path, or empty.
   */
  'uri'?: (string);
  /**
   * New authority, or empty.
   */
  'authority'?: (string);
  /**
   * New scheme, or empty.
   */
  'scheme'?: (string);
  /**
   * Absent: see derive_port.
   */
  'port'?: (number);
  /**
   * Where a missing port comes from.
   */
  'derivePort'?: (_gatehouse_policy_v1_Redirect_DerivePort);
  /**
   * HTTP status.
   */
  'code'?: (number);
  '_port'?: "port";
}

/**
 * An answer with another address.
 */
export interface Redirect__Output {
  /**
   * New path, or empty.
   */
  'uri': (string);
  /**
   * New authority, or empty.
   */
  'authority': (string);
  /**
   * New scheme, or empty.
   */
  'scheme': (string);
  /**
   * Absent: see derive_port.
   */
  'port'?: (number);
  /**
   * Where a missing port comes from.
   */
  'derivePort': (_gatehouse_policy_v1_Redirect_DerivePort__Output);
  /**
   * HTTP status.
   */
  'code': (number);
  '_port'?: "port";
}
