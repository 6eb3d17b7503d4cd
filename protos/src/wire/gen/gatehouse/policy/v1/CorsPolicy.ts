// Original file: gatehouse/policy/v1/virtual_service.proto

import type { StringMatch as _gatehouse_policy_v1_StringMatch, StringMatch__Output as _gatehouse_policy_v1_StringMatch__Output } from '../../../gatehouse/policy/v1/StringMatch.ts';
import type { Long } from '@grpc/proto-loader';

// Original file: gatehouse/policy/v1/virtual_service.proto

/**
 * What happens to a preflight from an origin that is not allowed.
 */
export const _gatehouse_policy_v1_CorsPolicy_UnmatchedPreflights = {
  /**
   * Not valid.
   */
  UNMATCHED_PREFLIGHTS_UNSPECIFIED: 'UNMATCHED_PREFLIGHTS_UNSPECIFIED',
  /**
   * It goes on to the upstream.
   */
  UNMATCHED_PREFLIGHTS_FORWARD: 'UNMATCHED_PREFLIGHTS_FORWARD',
  /**
   * It is answered without CORS headers.
   */
  UNMATCHED_PREFLIGHTS_IGNORE: 'UNMATCHED_PREFLIGHTS_IGNORE',
} as const;

/**
 * What happens to a preflight from an origin that is not allowed.
 */
export type _gatehouse_policy_v1_CorsPolicy_UnmatchedPreflights =
  /**
   * Not valid.
   */
  | 'UNMATCHED_PREFLIGHTS_UNSPECIFIED'
  | 0
  /**
   * It goes on to the upstream.
   */
  | 'UNMATCHED_PREFLIGHTS_FORWARD'
  | 1
  /**
   * It is answered without CORS headers.
   */
  | 'UNMATCHED_PREFLIGHTS_IGNORE'
  | 2

/**
 * What happens to a preflight from an origin that is not allowed.
 */
export type _gatehouse_policy_v1_CorsPolicy_UnmatchedPreflights__Output = typeof _gatehouse_policy_v1_CorsPolicy_UnmatchedPreflights[keyof typeof _gatehouse_policy_v1_CorsPolicy_UnmatchedPreflights]

/**
 * Cross-origin requests.
 */
export interface CorsPolicy {
  /**
   * One must match.
   */
  'allowOrigins'?: (_gatehouse_policy_v1_StringMatch)[];
  /**
   * Access-Control-Allow-Methods.
   */
  'allowMethods'?: (string)[];
  /**
   * Access-Control-Allow-Headers.
   */
  'allowHeaders'?: (string)[];
  /**
   * Access-Control-Expose-Headers.
   */
  'exposeHeaders'?: (string)[];
  /**
   * Access-Control-Max-Age; absent: not set.
   */
  'maxAgeSec'?: (number | string | Long);
  /**
   * Access-Control-Allow-Credentials; absent: not set.
   */
  'allowCredentials'?: (boolean);
  /**
   * What happens to a preflight from an origin that is not allowed.
   */
  'unmatchedPreflights'?: (_gatehouse_policy_v1_CorsPolicy_UnmatchedPreflights);
  '_maxAgeSec'?: "maxAgeSec";
  '_allowCredentials'?: "allowCredentials";
}

/**
 * Cross-origin requests.
 */
export interface CorsPolicy__Output {
  /**
   * One must match.
   */
  'allowOrigins': (_gatehouse_policy_v1_StringMatch__Output)[];
  /**
   * Access-Control-Allow-Methods.
   */
  'allowMethods': (string)[];
  /**
   * Access-Control-Allow-Headers.
   */
  'allowHeaders': (string)[];
  /**
   * Access-Control-Expose-Headers.
   */
  'exposeHeaders': (string)[];
  /**
   * Access-Control-Max-Age; absent: not set.
   */
  'maxAgeSec'?: (number);
  /**
   * Access-Control-Allow-Credentials; absent: not set.
   */
  'allowCredentials'?: (boolean);
  /**
   * What happens to a preflight from an origin that is not allowed.
   */
  'unmatchedPreflights': (_gatehouse_policy_v1_CorsPolicy_UnmatchedPreflights__Output);
  '_maxAgeSec'?: "maxAgeSec";
  '_allowCredentials'?: "allowCredentials";
}
