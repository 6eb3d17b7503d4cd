// Original file: gatehouse/policy/v1/extension_provider.proto

import type { Label as _gatehouse_policy_v1_Label, Label__Output as _gatehouse_policy_v1_Label__Output } from '../../../gatehouse/policy/v1/Label.ts';
import type { Long } from '@grpc/proto-loader';

// Original file: gatehouse/policy/v1/extension_provider.proto

/**
 * How it is asked.
 */
export const _gatehouse_policy_v1_ExtensionProvider_Protocol = {
  /**
   * Not valid.
   */
  PROTOCOL_UNSPECIFIED: 'PROTOCOL_UNSPECIFIED',
  /**
   * ext_authz over gRPC.
   */
  PROTOCOL_GRPC: 'PROTOCOL_GRPC',
  /**
   * ext_authz over HTTP.
   */
  PROTOCOL_HTTP: 'PROTOCOL_HTTP',
} as const;

/**
 * How it is asked.
 */
export type _gatehouse_policy_v1_ExtensionProvider_Protocol =
  /**
   * Not valid.
   */
  | 'PROTOCOL_UNSPECIFIED'
  | 0
  /**
   * ext_authz over gRPC.
   */
  | 'PROTOCOL_GRPC'
  | 1
  /**
   * ext_authz over HTTP.
   */
  | 'PROTOCOL_HTTP'
  | 2

/**
 * How it is asked.
 */
export type _gatehouse_policy_v1_ExtensionProvider_Protocol__Output = typeof _gatehouse_policy_v1_ExtensionProvider_Protocol[keyof typeof _gatehouse_policy_v1_ExtensionProvider_Protocol]

/**
 * An external authorizer that policies with ACTION_CUSTOM name.
 */
export interface ExtensionProvider {
  /**
   * Unique among providers.
   */
  'name'?: (string);
  /**
   * How it is asked.
   */
  'protocol'?: (_gatehouse_policy_v1_ExtensionProvider_Protocol);
  /**
   * Host name.
   */
  'service'?: (string);
  /**
   * Port number.
   */
  'port'?: (number);
  /**
   * How long an answer may take.
   */
  'timeoutMs'?: (number | string | Long);
  /**
   * The request passes when the provider can't be asked.
   */
  'failOpen'?: (boolean);
  /**
   * HTTP status when the provider can't be asked.
   */
  'statusOnError'?: (number);
  /**
   * HTTP only. Put before the request's path.
   */
  'pathPrefix'?: (string);
  /**
   * HTTP only. Lower case; `*` at either end is a wildcard.
   */
  'includeRequestHeadersInCheck'?: (string)[];
  /**
   * Headers added to the question.
   */
  'includeAdditionalHeadersInCheck'?: (_gatehouse_policy_v1_Label)[];
  /**
   * HTTP only. Headers of the answer that the upstream gets when it allows.
   */
  'headersToUpstreamOnAllow'?: (string)[];
  /**
   * Headers of the answer that the client gets when it denies.
   */
  'headersToDownstreamOnDeny'?: (string)[];
  /**
   * Headers of the answer that the client gets when it allows.
   */
  'headersToDownstreamOnAllow'?: (string)[];
  /**
   * Bytes of the body that are sent along; 0 means none.
   */
  'maxRequestBytes'?: (number | string | Long);
  /**
   * A body that is longer is cut rather than refused.
   */
  'allowPartialMessage'?: (boolean);
}

/**
 * An external authorizer that policies with ACTION_CUSTOM name.
 */
export interface ExtensionProvider__Output {
  /**
   * Unique among providers.
   */
  'name': (string);
  /**
   * How it is asked.
   */
  'protocol': (_gatehouse_policy_v1_ExtensionProvider_Protocol__Output);
  /**
   * Host name.
   */
  'service': (string);
  /**
   * Port number.
   */
  'port': (number);
  /**
   * How long an answer may take.
   */
  'timeoutMs': (number);
  /**
   * The request passes when the provider can't be asked.
   */
  'failOpen': (boolean);
  /**
   * HTTP status when the provider can't be asked.
   */
  'statusOnError': (number);
  /**
   * HTTP only. Put before the request's path.
   */
  'pathPrefix': (string);
  /**
   * HTTP only. Lower case; `*` at either end is a wildcard.
   */
  'includeRequestHeadersInCheck': (string)[];
  /**
   * Headers added to the question.
   */
  'includeAdditionalHeadersInCheck': (_gatehouse_policy_v1_Label__Output)[];
  /**
   * HTTP only. Headers of the answer that the upstream gets when it allows.
   */
  'headersToUpstreamOnAllow': (string)[];
  /**
   * Headers of the answer that the client gets when it denies.
   */
  'headersToDownstreamOnDeny': (string)[];
  /**
   * Headers of the answer that the client gets when it allows.
   */
  'headersToDownstreamOnAllow': (string)[];
  /**
   * Bytes of the body that are sent along; 0 means none.
   */
  'maxRequestBytes': (number);
  /**
   * A body that is longer is cut rather than refused.
   */
  'allowPartialMessage': (boolean);
}
