// Original file: gatehouse/policy/v1/object.proto

import type { Long } from '@grpc/proto-loader';

/**
 * What every resource that stands for a Kubernetes object carries.
 */
export interface ObjectMeta {
  /**
   * metadata.namespace.
   */
  'namespace'?: (string);
  /**
   * metadata.name.
   */
  'name'?: (string);
  /**
   * metadata.creationTimestamp in milliseconds since the epoch; 0 when unknown.
   */
  'createdAtMs'?: (number | string | Long);
  /**
   * Why a server could not enforce this resource, or empty. Non-empty means: deny (AuthorizationPolicy), reject every
   * token (RequestAuthentication), answer 404 (VirtualService), each within the scope of the object.
   */
  'unenforceable'?: (string);
}

/**
 * What every resource that stands for a Kubernetes object carries.
 */
export interface ObjectMeta__Output {
  /**
   * metadata.namespace.
   */
  'namespace': (string);
  /**
   * metadata.name.
   */
  'name': (string);
  /**
   * metadata.creationTimestamp in milliseconds since the epoch; 0 when unknown.
   */
  'createdAtMs': (number);
  /**
   * Why a server could not enforce this resource, or empty. Non-empty means: deny (AuthorizationPolicy), reject every
   * token (RequestAuthentication), answer 404 (VirtualService), each within the scope of the object.
   */
  'unenforceable': (string);
}
