// Original file: envoy/service/discovery/v3/discovery.proto

import type { Any as _google_protobuf_Any, Any__Output as _google_protobuf_Any__Output } from '../../../../google/protobuf/Any.ts';

/**
 * One resource with its version.
 */
export interface Resource {
  /**
   * Opaque; equal versions mean equal content.
   */
  'version'?: (string);
  /**
   * The content.
   */
  'resource'?: (_google_protobuf_Any | null);
  /**
   * Unique within its type.
   */
  'name'?: (string);
  /**
   * Further names of it.
   */
  'aliases'?: (string)[];
}

/**
 * One resource with its version.
 */
export interface Resource__Output {
  /**
   * Opaque; equal versions mean equal content.
   */
  'version': (string);
  /**
   * The content.
   */
  'resource': (_google_protobuf_Any__Output | null);
  /**
   * Unique within its type.
   */
  'name': (string);
  /**
   * Further names of it.
   */
  'aliases': (string)[];
}
