// Original file: envoy/config/core/v3/base.proto

import type { Struct as _google_protobuf_Struct, Struct__Output as _google_protobuf_Struct__Output } from '../../../../google/protobuf/Struct.ts';

/**
 * One pair of `filter_metadata`.
 */
export interface _envoy_config_core_v3_Metadata_FilterMetadataEntry {
  /**
   * Name of the filter.
   */
  'key'?: (string);
  /**
   * What it said.
   */
  'value'?: (_google_protobuf_Struct | null);
}

/**
 * One pair of `filter_metadata`.
 */
export interface _envoy_config_core_v3_Metadata_FilterMetadataEntry__Output {
  /**
   * Name of the filter.
   */
  'key': (string);
  /**
   * What it said.
   */
  'value': (_google_protobuf_Struct__Output | null);
}

/**
 * Dynamic metadata of a request.
 */
export interface Metadata {
  /**
   * By name of the filter that wrote it.
   */
  'filterMetadata'?: (_envoy_config_core_v3_Metadata_FilterMetadataEntry)[];
}

/**
 * Dynamic metadata of a request.
 */
export interface Metadata__Output {
  /**
   * By name of the filter that wrote it.
   */
  'filterMetadata': (_envoy_config_core_v3_Metadata_FilterMetadataEntry__Output)[];
}
