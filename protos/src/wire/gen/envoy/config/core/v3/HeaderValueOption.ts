// Original file: envoy/config/core/v3/base.proto

import type { HeaderValue as _envoy_config_core_v3_HeaderValue, HeaderValue__Output as _envoy_config_core_v3_HeaderValue__Output } from '../../../../envoy/config/core/v3/HeaderValue.ts';
import type { BoolValue as _google_protobuf_BoolValue, BoolValue__Output as _google_protobuf_BoolValue__Output } from '../../../../google/protobuf/BoolValue.ts';

// Original file: envoy/config/core/v3/base.proto

/**
 * What happens to a header that is there already.
 */
export const _envoy_config_core_v3_HeaderValueOption_HeaderAppendAction = {
  /**
   * A further line.
   */
  APPEND_IF_EXISTS_OR_ADD: 'APPEND_IF_EXISTS_OR_ADD',
  /**
   * Nothing.
   */
  ADD_IF_ABSENT: 'ADD_IF_ABSENT',
  /**
   * It is replaced; a missing one is added.
   */
  OVERWRITE_IF_EXISTS_OR_ADD: 'OVERWRITE_IF_EXISTS_OR_ADD',
  /**
   * It is replaced; a missing one is not added.
   */
  OVERWRITE_IF_EXISTS: 'OVERWRITE_IF_EXISTS',
} as const;

/**
 * What happens to a header that is there already.
 */
export type _envoy_config_core_v3_HeaderValueOption_HeaderAppendAction =
  /**
   * A further line.
   */
  | 'APPEND_IF_EXISTS_OR_ADD'
  | 0
  /**
   * Nothing.
   */
  | 'ADD_IF_ABSENT'
  | 1
  /**
   * It is replaced; a missing one is added.
   */
  | 'OVERWRITE_IF_EXISTS_OR_ADD'
  | 2
  /**
   * It is replaced; a missing one is not added.
   */
  | 'OVERWRITE_IF_EXISTS'
  | 3

/**
 * What happens to a header that is there already.
 */
export type _envoy_config_core_v3_HeaderValueOption_HeaderAppendAction__Output = typeof _envoy_config_core_v3_HeaderValueOption_HeaderAppendAction[keyof typeof _envoy_config_core_v3_HeaderValueOption_HeaderAppendAction]

/**
 * A header line and what to do with it.
 */
export interface HeaderValueOption {
  /**
   * The line.
   */
  'header'?: (_envoy_config_core_v3_HeaderValue | null);
  /**
   * Old form of append_action. When set, Envoy prefers it: leave it out.
   * @deprecated
   */
  'append'?: (_google_protobuf_BoolValue | null);
  /**
   * What happens to a header that is there already. Always give it.
   */
  'appendAction'?: (_envoy_config_core_v3_HeaderValueOption_HeaderAppendAction);
  /**
   * An empty value is kept rather than dropped.
   */
  'keepEmptyValue'?: (boolean);
}

/**
 * A header line and what to do with it.
 */
export interface HeaderValueOption__Output {
  /**
   * The line.
   */
  'header': (_envoy_config_core_v3_HeaderValue__Output | null);
  /**
   * Old form of append_action. When set, Envoy prefers it: leave it out.
   * @deprecated
   */
  'append': (_google_protobuf_BoolValue__Output | null);
  /**
   * What happens to a header that is there already. Always give it.
   */
  'appendAction': (_envoy_config_core_v3_HeaderValueOption_HeaderAppendAction__Output);
  /**
   * An empty value is kept rather than dropped.
   */
  'keepEmptyValue': (boolean);
}
