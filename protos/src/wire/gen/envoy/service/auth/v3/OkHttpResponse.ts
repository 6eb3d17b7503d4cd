// Original file: envoy/service/auth/v3/external_auth.proto

import type { HeaderValueOption as _envoy_config_core_v3_HeaderValueOption, HeaderValueOption__Output as _envoy_config_core_v3_HeaderValueOption__Output } from '../../../../envoy/config/core/v3/HeaderValueOption.ts';
import type { QueryParameter as _envoy_config_core_v3_QueryParameter, QueryParameter__Output as _envoy_config_core_v3_QueryParameter__Output } from '../../../../envoy/config/core/v3/QueryParameter.ts';

/**
 * What changes on a request that may pass.
 */
export interface OkHttpResponse {
  /**
   * Request headers to set or add.
   */
  'headers'?: (_envoy_config_core_v3_HeaderValueOption)[];
  /**
   * Request headers to remove; pseudo headers can't be removed.
   */
  'headersToRemove'?: (string)[];
  /**
   * Response headers to add.
   */
  'responseHeadersToAdd'?: (_envoy_config_core_v3_HeaderValueOption)[];
  /**
   * Query parameters to set.
   */
  'queryParametersToSet'?: (_envoy_config_core_v3_QueryParameter)[];
  /**
   * Query parameters to remove, by name.
   */
  'queryParametersToRemove'?: (string)[];
}

/**
 * What changes on a request that may pass.
 */
export interface OkHttpResponse__Output {
  /**
   * Request headers to set or add.
   */
  'headers': (_envoy_config_core_v3_HeaderValueOption__Output)[];
  /**
   * Request headers to remove; pseudo headers can't be removed.
   */
  'headersToRemove': (string)[];
  /**
   * Response headers to add.
   */
  'responseHeadersToAdd': (_envoy_config_core_v3_HeaderValueOption__Output)[];
  /**
   * Query parameters to set.
   */
  'queryParametersToSet': (_envoy_config_core_v3_QueryParameter__Output)[];
  /**
   * Query parameters to remove, by name.
   */
  'queryParametersToRemove': (string)[];
}
