// Original file: envoy/service/auth/v3/external_auth.proto

import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from '../../../../google/rpc/Status.ts';
import type { DeniedHttpResponse as _envoy_service_auth_v3_DeniedHttpResponse, DeniedHttpResponse__Output as _envoy_service_auth_v3_DeniedHttpResponse__Output } from '../../../../envoy/service/auth/v3/DeniedHttpResponse.ts';
import type { OkHttpResponse as _envoy_service_auth_v3_OkHttpResponse, OkHttpResponse__Output as _envoy_service_auth_v3_OkHttpResponse__Output } from '../../../../envoy/service/auth/v3/OkHttpResponse.ts';
import type { Struct as _google_protobuf_Struct, Struct__Output as _google_protobuf_Struct__Output } from '../../../../google/protobuf/Struct.ts';

/**
 * The answer. An empty message means that the request may pass.
 */
export interface CheckResponse {
  /**
   * Code 0, also by default, lets the request pass; any other denies.
   */
  'status'?: (_google_rpc_Status | null);
  /**
   * With a denial.
   */
  'deniedResponse'?: (_envoy_service_auth_v3_DeniedHttpResponse | null);
  /**
   * With a pass.
   */
  'okResponse'?: (_envoy_service_auth_v3_OkHttpResponse | null);
  /**
   * Dynamic metadata for later filters.
   */
  'dynamicMetadata'?: (_google_protobuf_Struct | null);
  /**
   * What goes with the verdict.
   */
  'httpResponse'?: "deniedResponse"|"okResponse";
}

/**
 * The answer. An empty message means that the request may pass.
 */
export interface CheckResponse__Output {
  /**
   * Code 0, also by default, lets the request pass; any other denies.
   */
  'status': (_google_rpc_Status__Output | null);
  /**
   * With a denial.
   */
  'deniedResponse'?: (_envoy_service_auth_v3_DeniedHttpResponse__Output | null);
  /**
   * With a pass.
   */
  'okResponse'?: (_envoy_service_auth_v3_OkHttpResponse__Output | null);
  /**
   * Dynamic metadata for later filters.
   */
  'dynamicMetadata': (_google_protobuf_Struct__Output | null);
  /**
   * What goes with the verdict.
   */
  'httpResponse'?: "deniedResponse"|"okResponse";
}
