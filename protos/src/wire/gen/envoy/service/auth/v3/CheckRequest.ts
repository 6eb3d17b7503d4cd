// Original file: envoy/service/auth/v3/external_auth.proto

import type { AttributeContext as _envoy_service_auth_v3_AttributeContext, AttributeContext__Output as _envoy_service_auth_v3_AttributeContext__Output } from '../../../../envoy/service/auth/v3/AttributeContext.ts';

/**
 * The question.
 */
export interface CheckRequest {
  /**
   * All that is known about the request.
   */
  'attributes'?: (_envoy_service_auth_v3_AttributeContext | null);
}

/**
 * The question.
 */
export interface CheckRequest__Output {
  /**
   * All that is known about the request.
   */
  'attributes': (_envoy_service_auth_v3_AttributeContext__Output | null);
}
