// Original file: gatehouse/policy/v1/key_set.proto


// Original file: gatehouse/policy/v1/key_set.proto

/**
 * Named curves of RFC 7518.
 */
export const _gatehouse_policy_v1_Jwk_Ec_Curve = {
  /**
   * Not valid.
   */
  CURVE_UNSPECIFIED: 'CURVE_UNSPECIFIED',
  /**
   * P-256.
   */
  CURVE_P256: 'CURVE_P256',
  /**
   * P-384.
   */
  CURVE_P384: 'CURVE_P384',
  /**
   * P-521.
   */
  CURVE_P521: 'CURVE_P521',
} as const;

/**
 * Named curves of RFC 7518.
 */
export type _gatehouse_policy_v1_Jwk_Ec_Curve =
  /**
   * Not valid.
   */
  | 'CURVE_UNSPECIFIED'
  | 0
  /**
   * P-256.
   */
  | 'CURVE_P256'
  | 1
  /**
   * P-384.
   */
  | 'CURVE_P384'
  | 2
  /**
   * P-521.
   */
  | 'CURVE_P521'
  | 3

/**
 * Named curves of RFC 7518.
 */
export type _gatehouse_policy_v1_Jwk_Ec_Curve__Output = typeof _gatehouse_policy_v1_Jwk_Ec_Curve[keyof typeof _gatehouse_policy_v1_Jwk_Ec_Curve]

// Original file: gatehouse/policy/v1/key_set.proto

/**
 * Named curves of RFC 8037.
 */
export const _gatehouse_policy_v1_Jwk_Okp_Curve = {
  /**
   * Not valid.
   */
  CURVE_UNSPECIFIED: 'CURVE_UNSPECIFIED',
  /**
   * Ed25519.
   */
  CURVE_ED25519: 'CURVE_ED25519',
} as const;

/**
 * Named curves of RFC 8037.
 */
export type _gatehouse_policy_v1_Jwk_Okp_Curve =
  /**
   * Not valid.
   */
  | 'CURVE_UNSPECIFIED'
  | 0
  /**
   * Ed25519.
   */
  | 'CURVE_ED25519'
  | 1

/**
 * Named curves of RFC 8037.
 */
export type _gatehouse_policy_v1_Jwk_Okp_Curve__Output = typeof _gatehouse_policy_v1_Jwk_Okp_Curve[keyof typeof _gatehouse_policy_v1_Jwk_Okp_Curve]

/**
 * `EC`.
 */
export interface _gatehouse_policy_v1_Jwk_Ec {
  /**
   * `crv`.
   */
  'crv'?: (_gatehouse_policy_v1_Jwk_Ec_Curve);
  /**
   * Coordinate.
   */
  'x'?: (string);
  /**
   * Coordinate.
   */
  'y'?: (string);
}

/**
 * `EC`.
 */
export interface _gatehouse_policy_v1_Jwk_Ec__Output {
  /**
   * `crv`.
   */
  'crv': (_gatehouse_policy_v1_Jwk_Ec_Curve__Output);
  /**
   * Coordinate.
   */
  'x': (string);
  /**
   * Coordinate.
   */
  'y': (string);
}

/**
 * `oct`: a shared secret.
 */
export interface _gatehouse_policy_v1_Jwk_Oct {
  /**
   * The secret. Redact it wherever it is printed.
   */
  'k'?: (string);
}

/**
 * `oct`: a shared secret.
 */
export interface _gatehouse_policy_v1_Jwk_Oct__Output {
  /**
   * The secret. Redact it wherever it is printed.
   */
  'k': (string);
}

/**
 * `OKP`.
 */
export interface _gatehouse_policy_v1_Jwk_Okp {
  /**
   * `crv`.
   */
  'crv'?: (_gatehouse_policy_v1_Jwk_Okp_Curve);
  /**
   * Public key.
   */
  'x'?: (string);
}

/**
 * `OKP`.
 */
export interface _gatehouse_policy_v1_Jwk_Okp__Output {
  /**
   * `crv`.
   */
  'crv': (_gatehouse_policy_v1_Jwk_Okp_Curve__Output);
  /**
   * Public key.
   */
  'x': (string);
}

/**
 * `RSA`.
 */
export interface _gatehouse_policy_v1_Jwk_Rsa {
  /**
   * Modulus.
   */
  'n'?: (string);
  /**
   * Exponent.
   */
  'e'?: (string);
}

/**
 * `RSA`.
 */
export interface _gatehouse_policy_v1_Jwk_Rsa__Output {
  /**
   * Modulus.
   */
  'n': (string);
  /**
   * Exponent.
   */
  'e': (string);
}

/**
 * One verification key. Members are base64url texts as in RFC 7517.
 */
export interface Jwk {
  /**
   * Key id, or empty.
   */
  'kid'?: (string);
  /**
   * Algorithm the key is bound to, or empty.
   */
  'alg'?: (string);
  /**
   * `RSA`.
   */
  'rsa'?: (_gatehouse_policy_v1_Jwk_Rsa | null);
  /**
   * `EC`.
   */
  'ec'?: (_gatehouse_policy_v1_Jwk_Ec | null);
  /**
   * `oct`.
   */
  'oct'?: (_gatehouse_policy_v1_Jwk_Oct | null);
  /**
   * `OKP`.
   */
  'okp'?: (_gatehouse_policy_v1_Jwk_Okp | null);
  /**
   * Exactly one must be set.
   */
  'kty'?: "rsa"|"ec"|"oct"|"okp";
}

/**
 * One verification key. Members are base64url texts as in RFC 7517.
 */
export interface Jwk__Output {
  /**
   * Key id, or empty.
   */
  'kid': (string);
  /**
   * Algorithm the key is bound to, or empty.
   */
  'alg': (string);
  /**
   * `RSA`.
   */
  'rsa'?: (_gatehouse_policy_v1_Jwk_Rsa__Output | null);
  /**
   * `EC`.
   */
  'ec'?: (_gatehouse_policy_v1_Jwk_Ec__Output | null);
  /**
   * `oct`.
   */
  'oct'?: (_gatehouse_policy_v1_Jwk_Oct__Output | null);
  /**
   * `OKP`.
   */
  'okp'?: (_gatehouse_policy_v1_Jwk_Okp__Output | null);
  /**
   * Exactly one must be set.
   */
  'kty'?: "rsa"|"ec"|"oct"|"okp";
}
