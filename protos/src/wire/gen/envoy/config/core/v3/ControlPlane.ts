// Original file: envoy/config/core/v3/base.proto


/**
 * Which controller speaks on a discovery stream.
 */
export interface ControlPlane {
  /**
   * Unique among controllers.
   */
  'identifier'?: (string);
}

/**
 * Which controller speaks on a discovery stream.
 */
export interface ControlPlane__Output {
  /**
   * Unique among controllers.
   */
  'identifier': (string);
}
