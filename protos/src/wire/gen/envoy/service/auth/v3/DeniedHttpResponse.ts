// Original file: envoy/service/auth/v3/external_auth.proto

import type { HttpStatus as _envoy_type_v3_HttpStatus, HttpStatus__Output as _envoy_type_v3_HttpStatus__Output } from '../../../../envoy/type/v3/HttpStatus.ts';
import type { HeaderValueOption as _envoy_config_core_v3_HeaderValueOption, HeaderValueOption__Output as _envoy_config_core_v3_HeaderValueOption__Output } from '../../../../envoy/config/core/v3/HeaderValueOption.ts';

/**
 * The answer to a client whose request may not pass.
 */
export interface DeniedHttpResponse {
  /**
   * Absent: 403.
   */
  'status'?: (_envoy_type_v3_HttpStatus | null);
  /**
   * Response headers.
   */
  'headers'?: (_envoy_config_core_v3_HeaderValueOption)[];
  /**
   * Response body.
   */
  'body'?: (string);
}

/**
 * The answer to a client whose request may not pass.
 */
export interface DeniedHttpResponse__Output {
  /**
   * Absent: 403.
   */
  'status': (_envoy_type_v3_HttpStatus__Output | null);
  /**
   * Response headers.
   */
  'headers': (_envoy_config_core_v3_HeaderValueOption__Output)[];
  /**
   * Response body.
   */
  'body': (string);
}
