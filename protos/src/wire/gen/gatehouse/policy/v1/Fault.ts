// Original file: gatehouse/policy/v1/virtual_service.proto

import type { Long } from '@grpc/proto-loader';

/**
 * An error in place of the answer.
 */
export interface _gatehouse_policy_v1_Fault_Abort {
  /**
   * HTTP status.
   */
  'status'?: (number);
  /**
   * Share of requests.
   */
  'percentage'?: (number | string);
}

/**
 * An error in place of the answer.
 */
export interface _gatehouse_policy_v1_Fault_Abort__Output {
  /**
   * HTTP status.
   */
  'status': (number);
  /**
   * Share of requests.
   */
  'percentage': (number);
}

/**
 * A wait before the request goes on.
 */
export interface _gatehouse_policy_v1_Fault_Delay {
  /**
   * How long.
   */
  'delayMs'?: (number | string | Long);
  /**
   * Share of requests.
   */
  'percentage'?: (number | string);
}

/**
 * A wait before the request goes on.
 */
export interface _gatehouse_policy_v1_Fault_Delay__Output {
  /**
   * How long.
   */
  'delayMs': (number);
  /**
   * Share of requests.
   */
  'percentage': (number);
}

/**
 * Injected faults. Percentages are 0 to 100, fractions allowed.
 */
export interface Fault {
  /**
   * Absent: none.
   */
  'abort'?: (_gatehouse_policy_v1_Fault_Abort | null);
  /**
   * Absent: none.
   */
  'delay'?: (_gatehouse_policy_v1_Fault_Delay | null);
}

/**
 * Injected faults. Percentages are 0 to 100, fractions allowed.
 */
export interface Fault__Output {
  /**
   * Absent: none.
   */
  'abort': (_gatehouse_policy_v1_Fault_Abort__Output | null);
  /**
   * Absent: none.
   */
  'delay': (_gatehouse_policy_v1_Fault_Delay__Output | null);
}
