// Original file: gatehouse/policy/v1/virtual_service.proto

import type { Destination as _gatehouse_policy_v1_Destination, Destination__Output as _gatehouse_policy_v1_Destination__Output } from '../../../gatehouse/policy/v1/Destination.ts';

/**
 * Weighted destinations.
 */
export interface Destinations {
  /**
   * In the order written.
   */
  'destinations'?: (_gatehouse_policy_v1_Destination)[];
}

/**
 * Weighted destinations.
 */
export interface Destinations__Output {
  /**
   * In the order written.
   */
  'destinations': (_gatehouse_policy_v1_Destination__Output)[];
}
