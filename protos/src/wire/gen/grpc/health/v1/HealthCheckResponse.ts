// Original file: grpc/health/v1/health.proto


// Original file: grpc/health/v1/health.proto

/**
 * Whether calls should be sent.
 */
export const _grpc_health_v1_HealthCheckResponse_ServingStatus = {
  /**
   * Not known.
   */
  UNKNOWN: 'UNKNOWN',
  /**
   * Yes.
   */
  SERVING: 'SERVING',
  /**
   * No.
   */
  NOT_SERVING: 'NOT_SERVING',
  /**
   * Watch only: there is no such service.
   */
  SERVICE_UNKNOWN: 'SERVICE_UNKNOWN',
} as const;

/**
 * Whether calls should be sent.
 */
export type _grpc_health_v1_HealthCheckResponse_ServingStatus =
  /**
   * Not known.
   */
  | 'UNKNOWN'
  | 0
  /**
   * Yes.
   */
  | 'SERVING'
  | 1
  /**
   * No.
   */
  | 'NOT_SERVING'
  | 2
  /**
   * Watch only: there is no such service.
   */
  | 'SERVICE_UNKNOWN'
  | 3

/**
 * Whether calls should be sent.
 */
export type _grpc_health_v1_HealthCheckResponse_ServingStatus__Output = typeof _grpc_health_v1_HealthCheckResponse_ServingStatus[keyof typeof _grpc_health_v1_HealthCheckResponse_ServingStatus]

/**
 * How it is.
 */
export interface HealthCheckResponse {
  /**
   * Whether calls should be sent.
   */
  'status'?: (_grpc_health_v1_HealthCheckResponse_ServingStatus);
}

/**
 * How it is.
 */
export interface HealthCheckResponse__Output {
  /**
   * Whether calls should be sent.
   */
  'status': (_grpc_health_v1_HealthCheckResponse_ServingStatus__Output);
}
