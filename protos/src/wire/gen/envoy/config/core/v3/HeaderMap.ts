// Original file: envoy/config/core/v3/base.proto

import type { HeaderValue as _envoy_config_core_v3_HeaderValue, HeaderValue__Output as _envoy_config_core_v3_HeaderValue__Output } from '../../../../envoy/config/core/v3/HeaderValue.ts';

/**
 * Header lines in order, names may repeat.
 */
export interface HeaderMap {
  /**
   * The lines.
   */
  'headers'?: (_envoy_config_core_v3_HeaderValue)[];
}

/**
 * Header lines in order, names may repeat.
 */
export interface HeaderMap__Output {
  /**
   * The lines.
   */
  'headers': (_envoy_config_core_v3_HeaderValue__Output)[];
}
