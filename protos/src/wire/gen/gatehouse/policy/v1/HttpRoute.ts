// Original file: gatehouse/policy/v1/virtual_service.proto

import type { HttpMatch as _gatehouse_policy_v1_HttpMatch, HttpMatch__Output as _gatehouse_policy_v1_HttpMatch__Output } from '../../../gatehouse/policy/v1/HttpMatch.ts';
import type { Destinations as _gatehouse_policy_v1_Destinations, Destinations__Output as _gatehouse_policy_v1_Destinations__Output } from '../../../gatehouse/policy/v1/Destinations.ts';
import type { Redirect as _gatehouse_policy_v1_Redirect, Redirect__Output as _gatehouse_policy_v1_Redirect__Output } from '../../../gatehouse/policy/v1/Redirect.ts';
import type { DirectResponse as _gatehouse_policy_v1_DirectResponse, DirectResponse__Output as _gatehouse_policy_v1_DirectResponse__Output } from '../../../gatehouse/policy/v1/DirectResponse.ts';
import type { Delegate as _gatehouse_policy_v1_Delegate, Delegate__Output as _gatehouse_policy_v1_Delegate__Output } from '../../../gatehouse/policy/v1/Delegate.ts';
import type { HeaderOperations as _gatehouse_policy_v1_HeaderOperations, HeaderOperations__Output as _gatehouse_policy_v1_HeaderOperations__Output } from '../../../gatehouse/policy/v1/HeaderOperations.ts';
import type { Rewrite as _gatehouse_policy_v1_Rewrite, Rewrite__Output as _gatehouse_policy_v1_Rewrite__Output } from '../../../gatehouse/policy/v1/Rewrite.ts';
import type { Retries as _gatehouse_policy_v1_Retries, Retries__Output as _gatehouse_policy_v1_Retries__Output } from '../../../gatehouse/policy/v1/Retries.ts';
import type { Fault as _gatehouse_policy_v1_Fault, Fault__Output as _gatehouse_policy_v1_Fault__Output } from '../../../gatehouse/policy/v1/Fault.ts';
import type { CorsPolicy as _gatehouse_policy_v1_CorsPolicy, CorsPolicy__Output as _gatehouse_policy_v1_CorsPolicy__Output } from '../../../gatehouse/policy/v1/CorsPolicy.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * One entry of `http`.
 */
export interface HttpRoute {
  /**
   * Position in spec.http, zero-based.
   */
  'index'?: (number);
  /**
   * Name given by the user, or empty.
   */
  'name'?: (string);
  /**
   * OR-ed; empty matches everything.
   */
  'match'?: (_gatehouse_policy_v1_HttpMatch)[];
  /**
   * It goes to one of these.
   */
  'route'?: (_gatehouse_policy_v1_Destinations | null);
  /**
   * It is answered with another address.
   */
  'redirect'?: (_gatehouse_policy_v1_Redirect | null);
  /**
   * It is answered as given.
   */
  'directResponse'?: (_gatehouse_policy_v1_DirectResponse | null);
  /**
   * The routes of another VirtualService decide.
   */
  'delegate'?: (_gatehouse_policy_v1_Delegate | null);
  /**
   * Operations on the request's headers. Must be set.
   */
  'requestHeaders'?: (_gatehouse_policy_v1_HeaderOperations | null);
  /**
   * Operations on the response's headers. Must be set.
   */
  'responseHeaders'?: (_gatehouse_policy_v1_HeaderOperations | null);
  /**
   * How path and authority change; absent: they don't.
   */
  'rewrite'?: (_gatehouse_policy_v1_Rewrite | null);
  /**
   * Absent: not set; 0 disables.
   */
  'timeoutMs'?: (number | string | Long);
  /**
   * Absent: not set.
   */
  'retries'?: (_gatehouse_policy_v1_Retries | null);
  /**
   * Absent: none.
   */
  'fault'?: (_gatehouse_policy_v1_Fault | null);
  /**
   * Absent: none.
   */
  'cors'?: (_gatehouse_policy_v1_CorsPolicy | null);
  /**
   * What happens to a request. Exactly one must be set.
   */
  'action'?: "route"|"redirect"|"directResponse"|"delegate";
  '_timeoutMs'?: "timeoutMs";
}

/**
 * One entry of `http`.
 */
export interface HttpRoute__Output {
  /**
   * Position in spec.http, zero-based.
   */
  'index': (number);
  /**
   * Name given by the user, or empty.
   */
  'name': (string);
  /**
   * OR-ed; empty matches everything.
   */
  'match': (_gatehouse_policy_v1_HttpMatch__Output)[];
  /**
   * It goes to one of these.
   */
  'route'?: (_gatehouse_policy_v1_Destinations__Output | null);
  /**
   * It is answered with another address.
   */
  'redirect'?: (_gatehouse_policy_v1_Redirect__Output | null);
  /**
   * It is answered as given.
   */
  'directResponse'?: (_gatehouse_policy_v1_DirectResponse__Output | null);
  /**
   * The routes of another VirtualService decide.
   */
  'delegate'?: (_gatehouse_policy_v1_Delegate__Output | null);
  /**
   * Operations on the request's headers. Must be set.
   */
  'requestHeaders': (_gatehouse_policy_v1_HeaderOperations__Output | null);
  /**
   * Operations on the response's headers. Must be set.
   */
  'responseHeaders': (_gatehouse_policy_v1_HeaderOperations__Output | null);
  /**
   * How path and authority change; absent: they don't.
   */
  'rewrite': (_gatehouse_policy_v1_Rewrite__Output | null);
  /**
   * Absent: not set; 0 disables.
   */
  'timeoutMs'?: (number);
  /**
   * Absent: not set.
   */
  'retries': (_gatehouse_policy_v1_Retries__Output | null);
  /**
   * Absent: none.
   */
  'fault': (_gatehouse_policy_v1_Fault__Output | null);
  /**
   * Absent: none.
   */
  'cors': (_gatehouse_policy_v1_CorsPolicy__Output | null);
  /**
   * What happens to a request. Exactly one must be set.
   */
  'action'?: "route"|"redirect"|"directResponse"|"delegate";
  '_timeoutMs'?: "timeoutMs";
}
