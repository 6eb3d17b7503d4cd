// Original file: gatehouse/policy/v1/key_set.proto

import type { Jwk as _gatehouse_policy_v1_Jwk, Jwk__Output as _gatehouse_policy_v1_Jwk__Output } from '../../../gatehouse/policy/v1/Jwk.ts';

// Original file: gatehouse/policy/v1/key_set.proto

/**
 * Whether the keys are known.
 */
export const _gatehouse_policy_v1_KeySet_State = {
  /**
   * Not valid.
   */
  STATE_UNSPECIFIED: 'STATE_UNSPECIFIED',
  /**
   * Read, with at least one usable key.
   */
  STATE_READY: 'STATE_READY',
  /**
   * Read, without any usable key.
   */
  STATE_NO_VALID_KEYS: 'STATE_NO_VALID_KEYS',
  /**
   * Never could be fetched.
   */
  STATE_UNAVAILABLE: 'STATE_UNAVAILABLE',
} as const;

/**
 * Whether the keys are known.
 */
export type _gatehouse_policy_v1_KeySet_State =
  /**
   * Not valid.
   */
  | 'STATE_UNSPECIFIED'
  | 0
  /**
   * Read, with at least one usable key.
   */
  | 'STATE_READY'
  | 1
  /**
   * Read, without any usable key.
   */
  | 'STATE_NO_VALID_KEYS'
  | 2
  /**
   * Never could be fetched.
   */
  | 'STATE_UNAVAILABLE'
  | 3

/**
 * Whether the keys are known.
 */
export type _gatehouse_policy_v1_KeySet_State__Output = typeof _gatehouse_policy_v1_KeySet_State[keyof typeof _gatehouse_policy_v1_KeySet_State]

/**
 * The verification keys of one source. Never holds private members of asymmetric keys.
 */
export interface KeySet {
  /**
   * Unique among key sets.
   */
  'name'?: (string);
  /**
   * Whether the keys are known.
   */
  'state'?: (_gatehouse_policy_v1_KeySet_State);
  /**
   * In the order of the document: the first that verifies wins.
   */
  'keys'?: (_gatehouse_policy_v1_Jwk)[];
}

/**
 * The verification keys of one source. Never holds private members of asymmetric keys.
 */
export interface KeySet__Output {
  /**
   * Unique among key sets.
   */
  'name': (string);
  /**
   * Whether the keys are known.
   */
  'state': (_gatehouse_policy_v1_KeySet_State__Output);
  /**
   * In the order of the document: the first that verifies wins.
   */
  'keys': (_gatehouse_policy_v1_Jwk__Output)[];
}
