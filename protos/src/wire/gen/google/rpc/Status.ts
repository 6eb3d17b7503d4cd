// Original file: google/rpc/status.proto

import type { Any as _google_protobuf_Any, Any__Output as _google_protobuf_Any__Output } from '../../google/protobuf/Any.ts';

/**
 * An outcome. As upstream.
 */
export interface Status {
  /**
   * A number of google.rpc.Code. 0 means OK, and absent means 0: nothing that means "no" may depend on the default.
   */
  'code'?: (number);
  /**
   * For developers.
   */
  'message'?: (string);
  /**
   * Typed details.
   */
  'details'?: (_google_protobuf_Any)[];
}

/**
 * An outcome. As upstream.
 */
export interface Status__Output {
  /**
   * A number of google.rpc.Code. 0 means OK, and absent means 0: nothing that means "no" may depend on the default.
   */
  'code': (number);
  /**
   * For developers.
   */
  'message': (string);
  /**
   * Typed details.
   */
  'details': (_google_protobuf_Any__Output)[];
}
