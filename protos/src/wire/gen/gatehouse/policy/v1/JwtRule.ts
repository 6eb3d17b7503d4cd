// Original file: gatehouse/policy/v1/request_authentication.proto

import type { TokenLocation as _gatehouse_policy_v1_TokenLocation, TokenLocation__Output as _gatehouse_policy_v1_TokenLocation__Output } from '../../../gatehouse/policy/v1/TokenLocation.ts';
import type { ClaimToHeader as _gatehouse_policy_v1_ClaimToHeader, ClaimToHeader__Output as _gatehouse_policy_v1_ClaimToHeader__Output } from '../../../gatehouse/policy/v1/ClaimToHeader.ts';

// Original file: gatehouse/policy/v1/request_authentication.proto

/**
 * What happens to a request without a token.
 */
export const _gatehouse_policy_v1_JwtRule_Presence = {
  /**
   * Not valid.
   */
  PRESENCE_UNSPECIFIED: 'PRESENCE_UNSPECIFIED',
  /**
   * It passes as unauthenticated.
   */
  PRESENCE_OPTIONAL: 'PRESENCE_OPTIONAL',
  /**
   * It is rejected unless another rule verified a token.
   */
  PRESENCE_REQUIRED: 'PRESENCE_REQUIRED',
} as const;

/**
 * What happens to a request without a token.
 */
export type _gatehouse_policy_v1_JwtRule_Presence =
  /**
   * Not valid.
   */
  | 'PRESENCE_UNSPECIFIED'
  | 0
  /**
   * It passes as unauthenticated.
   */
  | 'PRESENCE_OPTIONAL'
  | 1
  /**
   * It is rejected unless another rule verified a token.
   */
  | 'PRESENCE_REQUIRED'
  | 2

/**
 * What happens to a request without a token.
 */
export type _gatehouse_policy_v1_JwtRule_Presence__Output = typeof _gatehouse_policy_v1_JwtRule_Presence[keyof typeof _gatehouse_policy_v1_JwtRule_Presence]

/**
 * One issuer that is trusted.
 */
export interface JwtRule {
  /**
   * `iss`, byte for byte; empty accepts any.
   */
  'issuer'?: (string);
  /**
   * The token's `aud` must hold one of them; empty means not checked.
   */
  'audiences'?: (string)[];
  /**
   * Where the token is looked for; empty means the default places.
   */
  'locations'?: (_gatehouse_policy_v1_TokenLocation)[];
  /**
   * Name of the KeySet whose keys verify the token.
   */
  'keySet'?: (string);
  /**
   * Request header that receives the payload as sent; lower case, empty means none.
   */
  'outputPayloadToHeader'?: (string);
  /**
   * Request headers that receive single claims.
   */
  'outputClaimToHeaders'?: (_gatehouse_policy_v1_ClaimToHeader)[];
  /**
   * Whether the upstream gets the token.
   */
  'forwardOriginalToken'?: (boolean);
  /**
   * Top-level claims that are split on blanks, besides the usual ones.
   */
  'spaceDelimitedClaims'?: (string)[];
  /**
   * What happens to a request without a token.
   */
  'presence'?: (_gatehouse_policy_v1_JwtRule_Presence);
  /**
   * Why this rule could not be compiled, or empty. A broken rule rejects every token at its locations.
   */
  'invalid'?: (string);
}

/**
 * One issuer that is trusted.
 */
export interface JwtRule__Output {
  /**
   * `iss`, byte for byte; empty accepts any.
   */
  'issuer': (string);
  /**
   * The token's `aud` must hold one of them; empty means not checked.
   */
  'audiences': (string)[];
  /**
   * Where the token is looked for; empty means the default places.
   */
  'locations': (_gatehouse_policy_v1_TokenLocation__Output)[];
  /**
   * Name of the KeySet whose keys verify the token.
   */
  'keySet': (string);
  /**
   * Request header that receives the payload as sent; lower case, empty means none.
   */
  'outputPayloadToHeader': (string);
  /**
   * Request headers that receive single claims.
   */
  'outputClaimToHeaders': (_gatehouse_policy_v1_ClaimToHeader__Output)[];
  /**
   * Whether the upstream gets the token.
   */
  'forwardOriginalToken': (boolean);
  /**
   * Top-level claims that are split on blanks, besides the usual ones.
   */
  'spaceDelimitedClaims': (string)[];
  /**
   * What happens to a request without a token.
   */
  'presence': (_gatehouse_policy_v1_JwtRule_Presence__Output);
  /**
   * Why this rule could not be compiled, or empty. A broken rule rejects every token at its locations.
   */
  'invalid': (string);
}
