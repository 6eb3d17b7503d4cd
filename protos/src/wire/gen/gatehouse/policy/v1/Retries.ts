// Original file: gatehouse/policy/v1/virtual_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * Retries by Envoy.
 */
export interface Retries {
  /**
   * How many.
   */
  'attempts'?: (number);
  /**
   * 0: not given.
   */
  'perTryTimeoutMs'?: (number | string | Long);
  /**
   * Envoy's conditions, comma-separated.
   */
  'retryOn'?: (string);
}

/**
 * Retries by Envoy.
 */
export interface Retries__Output {
  /**
   * How many.
   */
  'attempts': (number);
  /**
   * 0: not given.
   */
  'perTryTimeoutMs': (number);
  /**
   * Envoy's conditions, comma-separated.
   */
  'retryOn': (string);
}
