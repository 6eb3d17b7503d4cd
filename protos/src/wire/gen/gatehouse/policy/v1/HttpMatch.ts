// Original file: gatehouse/policy/v1/http_match.proto

import type { StringMatch as _gatehouse_policy_v1_StringMatch, StringMatch__Output as _gatehouse_policy_v1_StringMatch__Output } from '../../../gatehouse/policy/v1/StringMatch.ts';
import type { NamedMatch as _gatehouse_policy_v1_NamedMatch, NamedMatch__Output as _gatehouse_policy_v1_NamedMatch__Output } from '../../../gatehouse/policy/v1/NamedMatch.ts';
import type { ClaimMatch as _gatehouse_policy_v1_ClaimMatch, ClaimMatch__Output as _gatehouse_policy_v1_ClaimMatch__Output } from '../../../gatehouse/policy/v1/ClaimMatch.ts';
import type { Label as _gatehouse_policy_v1_Label, Label__Output as _gatehouse_policy_v1_Label__Output } from '../../../gatehouse/policy/v1/Label.ts';

/**
 * Conditions of one match entry, AND-ed. An absent condition holds for every request.
 */
export interface HttpMatch {
  /**
   * Name given by the user, or empty.
   */
  'name'?: (string);
  /**
   * Path and query.
   */
  'uri'?: (_gatehouse_policy_v1_StringMatch | null);
  /**
   * The case of the path does not count.
   */
  'ignoreUriCase'?: (boolean);
  /**
   * Scheme of the URI.
   */
  'scheme'?: (_gatehouse_policy_v1_StringMatch | null);
  /**
   * HTTP method.
   */
  'method'?: (_gatehouse_policy_v1_StringMatch | null);
  /**
   * `:authority`.
   */
  'authority'?: (_gatehouse_policy_v1_StringMatch | null);
  /**
   * Headers that must match.
   */
  'headers'?: (_gatehouse_policy_v1_NamedMatch)[];
  /**
   * Headers that must not match.
   */
  'withoutHeaders'?: (_gatehouse_policy_v1_NamedMatch)[];
  /**
   * Claims that must match.
   */
  'claims'?: (_gatehouse_policy_v1_ClaimMatch)[];
  /**
   * Claims that must not match.
   */
  'withoutClaims'?: (_gatehouse_policy_v1_ClaimMatch)[];
  /**
   * First values of query parameters that must match.
   */
  'queryParams'?: (_gatehouse_policy_v1_NamedMatch)[];
  /**
   * Port of the Gateway server; 0 is any.
   */
  'port'?: (number);
  /**
   * `namespace/name`; non-empty replaces the list of the VirtualService.
   */
  'gateways'?: (string)[];
  /**
   * Labels of the gateway workload itself.
   */
  'sourceLabels'?: (_gatehouse_policy_v1_Label)[];
  /**
   * Namespace of the gateway workload itself, or empty.
   */
  'sourceNamespace'?: (string);
}

/**
 * Conditions of one match entry, AND-ed. An absent condition holds for every request.
 */
export interface HttpMatch__Output {
  /**
   * Name given by the user, or empty.
   */
  'name': (string);
  /**
   * Path and query.
   */
  'uri': (_gatehouse_policy_v1_StringMatch__Output | null);
  /**
   * The case of the path does not count.
   */
  'ignoreUriCase': (boolean);
  /**
   * Scheme of the URI.
   */
  'scheme': (_gatehouse_policy_v1_StringMatch__Output | null);
  /**
   * HTTP method.
   */
  'method': (_gatehouse_policy_v1_StringMatch__Output | null);
  /**
   * `:authority`.
   */
  'authority': (_gatehouse_policy_v1_StringMatch__Output | null);
  /**
   * Headers that must match.
   */
  'headers': (_gatehouse_policy_v1_NamedMatch__Output)[];
  /**
   * Headers that must not match.
   */
  'withoutHeaders': (_gatehouse_policy_v1_NamedMatch__Output)[];
  /**
   * Claims that must match.
   */
  'claims': (_gatehouse_policy_v1_ClaimMatch__Output)[];
  /**
   * Claims that must not match.
   */
  'withoutClaims': (_gatehouse_policy_v1_ClaimMatch__Output)[];
  /**
   * First values of query parameters that must match.
   */
  'queryParams': (_gatehouse_policy_v1_NamedMatch__Output)[];
  /**
   * Port of the Gateway server; 0 is any.
   */
  'port': (number);
  /**
   * `namespace/name`; non-empty replaces the list of the VirtualService.
   */
  'gateways': (string)[];
  /**
   * Labels of the gateway workload itself.
   */
  'sourceLabels': (_gatehouse_policy_v1_Label__Output)[];
  /**
   * Namespace of the gateway workload itself, or empty.
   */
  'sourceNamespace': (string);
}
