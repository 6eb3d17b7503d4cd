// Original file: envoy/config/core/v3/base.proto

import type { Struct as _google_protobuf_Struct, Struct__Output as _google_protobuf_Struct__Output } from '../../../../google/protobuf/Struct.ts';

/**
 * Who speaks on a discovery stream.
 */
export interface Node {
  /**
   * Unique among the clients of a controller.
   */
  'id'?: (string);
  /**
   * Group the node belongs to.
   */
  'cluster'?: (string);
  /**
   * Free-form data.
   */
  'metadata'?: (_google_protobuf_Struct | null);
  /**
   * Which program.
   */
  'userAgentName'?: (string);
  /**
   * As text.
   */
  'userAgentVersion'?: (string);
  /**
   * Which release of it.
   */
  'userAgentVersionType'?: "userAgentVersion";
}

/**
 * Who speaks on a discovery stream.
 */
export interface Node__Output {
  /**
   * Unique among the clients of a controller.
   */
  'id': (string);
  /**
   * Group the node belongs to.
   */
  'cluster': (string);
  /**
   * Free-form data.
   */
  'metadata': (_google_protobuf_Struct__Output | null);
  /**
   * Which program.
   */
  'userAgentName': (string);
  /**
   * As text.
   */
  'userAgentVersion'?: (string);
  /**
   * Which release of it.
   */
  'userAgentVersionType'?: "userAgentVersion";
}
