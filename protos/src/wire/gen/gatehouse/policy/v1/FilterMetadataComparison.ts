// Original file: gatehouse/policy/v1/authorization_policy.proto

import type { FilterMetadataMatch as _gatehouse_policy_v1_FilterMetadataMatch, FilterMetadataMatch__Output as _gatehouse_policy_v1_FilterMetadataMatch__Output } from '../../../gatehouse/policy/v1/FilterMetadataMatch.ts';

/**
 * Values of dynamic metadata.
 */
export interface FilterMetadataComparison {
  /**
   * One must match.
   */
  'values'?: (_gatehouse_policy_v1_FilterMetadataMatch)[];
  /**
   * None may match.
   */
  'notValues'?: (_gatehouse_policy_v1_FilterMetadataMatch)[];
}

/**
 * Values of dynamic metadata.
 */
export interface FilterMetadataComparison__Output {
  /**
   * One must match.
   */
  'values': (_gatehouse_policy_v1_FilterMetadataMatch__Output)[];
  /**
   * None may match.
   */
  'notValues': (_gatehouse_policy_v1_FilterMetadataMatch__Output)[];
}
