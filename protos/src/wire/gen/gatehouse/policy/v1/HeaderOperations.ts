// Original file: gatehouse/policy/v1/virtual_service.proto

import type { Label as _gatehouse_policy_v1_Label, Label__Output as _gatehouse_policy_v1_Label__Output } from '../../../gatehouse/policy/v1/Label.ts';

/**
 * Names are in lower case. Applied in this order: remove, set, add.
 */
export interface HeaderOperations {
  /**
   * Replace or create.
   */
  'set'?: (_gatehouse_policy_v1_Label)[];
  /**
   * Append or create.
   */
  'add'?: (_gatehouse_policy_v1_Label)[];
  /**
   * Delete.
   */
  'remove'?: (string)[];
}

/**
 * Names are in lower case. Applied in this order: remove, set, add.
 */
export interface HeaderOperations__Output {
  /**
   * Replace or create.
   */
  'set': (_gatehouse_policy_v1_Label__Output)[];
  /**
   * Append or create.
   */
  'add': (_gatehouse_policy_v1_Label__Output)[];
  /**
   * Delete.
   */
  'remove': (string)[];
}
