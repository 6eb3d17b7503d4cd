// Original file: grpc/health/v1/health.proto


/**
 * Which service is asked about.
 */
export interface HealthCheckRequest {
  /**
   * Empty means the whole server.
   */
  'service'?: (string);
}

/**
 * Which service is asked about.
 */
export interface HealthCheckRequest__Output {
  /**
   * Empty means the whole server.
   */
  'service': (string);
}
