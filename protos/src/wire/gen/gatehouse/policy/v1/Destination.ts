// Original file: gatehouse/policy/v1/virtual_service.proto

import type { HeaderOperations as _gatehouse_policy_v1_HeaderOperations, HeaderOperations__Output as _gatehouse_policy_v1_HeaderOperations__Output } from '../../../gatehouse/policy/v1/HeaderOperations.ts';

/**
 * One weighted destination.
 */
export interface Destination {
  /**
   * Whole name.
   */
  'host'?: (string);
  /**
   * 0: not given.
   */
  'port'?: (number);
  /**
   * Subset of the host, or empty.
   */
  'subset'?: (string);
  /**
   * Share among the destinations.
   */
  'weight'?: (number);
  /**
   * Operations on the request's headers. Must be set.
   */
  'requestHeaders'?: (_gatehouse_policy_v1_HeaderOperations | null);
  /**
   * Operations on the response's headers. Must be set.
   */
  'responseHeaders'?: (_gatehouse_policy_v1_HeaderOperations | null);
}

/**
 * One weighted destination.
 */
export interface Destination__Output {
  /**
   * Whole name.
   */
  'host': (string);
  /**
   * 0: not given.
   */
  'port': (number);
  /**
   * Subset of the host, or empty.
   */
  'subset': (string);
  /**
   * Share among the destinations.
   */
  'weight': (number);
  /**
   * Operations on the request's headers. Must be set.
   */
  'requestHeaders': (_gatehouse_policy_v1_HeaderOperations__Output | null);
  /**
   * Operations on the response's headers. Must be set.
   */
  'responseHeaders': (_gatehouse_policy_v1_HeaderOperations__Output | null);
}
