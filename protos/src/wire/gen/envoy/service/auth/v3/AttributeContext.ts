// Original file: envoy/service/auth/v3/attribute_context.proto

import type { Metadata as _envoy_config_core_v3_Metadata, Metadata__Output as _envoy_config_core_v3_Metadata__Output } from '../../../../envoy/config/core/v3/Metadata.ts';
import type { Address as _envoy_config_core_v3_Address, Address__Output as _envoy_config_core_v3_Address__Output } from '../../../../envoy/config/core/v3/Address.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from '../../../../google/protobuf/Timestamp.ts';
import type { HeaderMap as _envoy_config_core_v3_HeaderMap, HeaderMap__Output as _envoy_config_core_v3_HeaderMap__Output } from '../../../../envoy/config/core/v3/HeaderMap.ts';
import type { Long } from '@grpc/proto-loader';

/**
 * One pair of `context_extensions`.
 */
export interface _envoy_service_auth_v3_AttributeContext_ContextExtensionsEntry {
  /**
   * Name.
   */
  'key'?: (string);
  /**
   * Value.
   */
  'value'?: (string);
}

/**
 * One pair of `context_extensions`.
 */
export interface _envoy_service_auth_v3_AttributeContext_ContextExtensionsEntry__Output {
  /**
   * Name.
   */
  'key': (string);
  /**
   * Value.
   */
  'value': (string);
}

/**
 * One pair of `headers`.
 */
export interface _envoy_service_auth_v3_AttributeContext_HttpRequest_HeadersEntry {
  /**
   * Name, lower case.
   */
  'key'?: (string);
  /**
   * Values, joined by commas.
   */
  'value'?: (string);
}

/**
 * One pair of `headers`.
 */
export interface _envoy_service_auth_v3_AttributeContext_HttpRequest_HeadersEntry__Output {
  /**
   * Name, lower case.
   */
  'key': (string);
  /**
   * Values, joined by commas.
   */
  'value': (string);
}

/**
 * The HTTP part of a request.
 */
export interface _envoy_service_auth_v3_AttributeContext_HttpRequest {
  /**
   * Request id.
   */
  'id'?: (string);
  /**
   * Method.
   */
  'method'?: (string);
  /**
   * Headers joined by name; absent when the filter encodes raw headers.
   */
  'headers'?: (_envoy_service_auth_v3_AttributeContext_HttpRequest_HeadersEntry)[];
  /**
   * Header lines as received; only when the filter encodes raw headers.
   */
  'headerMap'?: (_envoy_config_core_v3_HeaderMap | null);
  /**
   * Path with query.
   */
  'path'?: (string);
  /**
   * `:authority`.
   */
  'host'?: (string);
  /**
   * `http` or `https`.
   */
  'scheme'?: (string);
  /**
   * Empty: Envoy leaves the query in the path.
   */
  'query'?: (string);
  /**
   * Empty: fragments do not travel.
   */
  'fragment'?: (string);
  /**
   * Bytes of the body, -1 when unknown.
   */
  'size'?: (number | string | Long);
  /**
   * Such as `HTTP/1.1`.
   */
  'protocol'?: (string);
  /**
   * Body as text, if the filter sends it.
   */
  'body'?: (string);
  /**
   * Body as bytes, if the filter sends it so.
   */
  'rawBody'?: (Buffer | Uint8Array | string);
}

/**
 * The HTTP part of a request.
 */
export interface _envoy_service_auth_v3_AttributeContext_HttpRequest__Output {
  /**
   * Request id.
   */
  'id': (string);
  /**
   * Method.
   */
  'method': (string);
  /**
   * Headers joined by name; absent when the filter encodes raw headers.
   */
  'headers': (_envoy_service_auth_v3_AttributeContext_HttpRequest_HeadersEntry__Output)[];
  /**
   * Header lines as received; only when the filter encodes raw headers.
   */
  'headerMap': (_envoy_config_core_v3_HeaderMap__Output | null);
  /**
   * Path with query.
   */
  'path': (string);
  /**
   * `:authority`.
   */
  'host': (string);
  /**
   * `http` or `https`.
   */
  'scheme': (string);
  /**
   * Empty: Envoy leaves the query in the path.
   */
  'query': (string);
  /**
   * Empty: fragments do not travel.
   */
  'fragment': (string);
  /**
   * Bytes of the body, -1 when unknown.
   */
  'size': (number);
  /**
   * Such as `HTTP/1.1`.
   */
  'protocol': (string);
  /**
   * Body as text, if the filter sends it.
   */
  'body': (string);
  /**
   * Body as bytes, if the filter sends it so.
   */
  'rawBody': (Buffer);
}

/**
 * One end of the connection.
 */
export interface _envoy_service_auth_v3_AttributeContext_Peer {
  /**
   * Where it is.
   */
  'address'?: (_envoy_config_core_v3_Address | null);
  /**
   * Service name it claims.
   */
  'service'?: (string);
  /**
   * Identity of its certificate.
   */
  'principal'?: (string);
  /**
   * URL-encoded PEM of its certificate, if Envoy sends it.
   */
  'certificate'?: (string);
}

/**
 * One end of the connection.
 */
export interface _envoy_service_auth_v3_AttributeContext_Peer__Output {
  /**
   * Where it is.
   */
  'address': (_envoy_config_core_v3_Address__Output | null);
  /**
   * Service name it claims.
   */
  'service': (string);
  /**
   * Identity of its certificate.
   */
  'principal': (string);
  /**
   * URL-encoded PEM of its certificate, if Envoy sends it.
   */
  'certificate': (string);
}

/**
 * The request.
 */
export interface _envoy_service_auth_v3_AttributeContext_Request {
  /**
   * When its first byte came.
   */
  'time'?: (_google_protobuf_Timestamp | null);
  /**
   * Its HTTP part.
   */
  'http'?: (_envoy_service_auth_v3_AttributeContext_HttpRequest | null);
}

/**
 * The request.
 */
export interface _envoy_service_auth_v3_AttributeContext_Request__Output {
  /**
   * When its first byte came.
   */
  'time': (_google_protobuf_Timestamp__Output | null);
  /**
   * Its HTTP part.
   */
  'http': (_envoy_service_auth_v3_AttributeContext_HttpRequest__Output | null);
}

/**
 * The TLS session of the client.
 */
export interface _envoy_service_auth_v3_AttributeContext_TLSSession {
  /**
   * Server name asked for.
   */
  'sni'?: (string);
}

/**
 * The TLS session of the client.
 */
export interface _envoy_service_auth_v3_AttributeContext_TLSSession__Output {
  /**
   * Server name asked for.
   */
  'sni': (string);
}

/**
 * What Envoy tells about one request.
 */
export interface AttributeContext {
  /**
   * The client's end.
   */
  'source'?: (_envoy_service_auth_v3_AttributeContext_Peer | null);
  /**
   * Our end.
   */
  'destination'?: (_envoy_service_auth_v3_AttributeContext_Peer | null);
  /**
   * The request.
   */
  'request'?: (_envoy_service_auth_v3_AttributeContext_Request | null);
  /**
   * What the configuration of the filter, virtual host and route adds.
   */
  'contextExtensions'?: (_envoy_service_auth_v3_AttributeContext_ContextExtensionsEntry)[];
  /**
   * Dynamic metadata of the request.
   */
  'metadataContext'?: (_envoy_config_core_v3_Metadata | null);
  /**
   * The TLS session, if the filter sends it.
   */
  'tlsSession'?: (_envoy_service_auth_v3_AttributeContext_TLSSession | null);
  /**
   * Metadata of the route.
   */
  'routeMetadataContext'?: (_envoy_config_core_v3_Metadata | null);
}

/**
 * What Envoy tells about one request.
 */
export interface AttributeContext__Output {
  /**
   * The client's end.
   */
  'source': (_envoy_service_auth_v3_AttributeContext_Peer__Output | null);
  /**
   * Our end.
   */
  'destination': (_envoy_service_auth_v3_AttributeContext_Peer__Output | null);
  /**
   * The request.
   */
  'request': (_envoy_service_auth_v3_AttributeContext_Request__Output | null);
  /**
   * What the configuration of the filter, virtual host and route adds.
   */
  'contextExtensions': (_envoy_service_auth_v3_AttributeContext_ContextExtensionsEntry__Output)[];
  /**
   * Dynamic metadata of the request.
   */
  'metadataContext': (_envoy_config_core_v3_Metadata__Output | null);
  /**
   * The TLS session, if the filter sends it.
   */
  'tlsSession': (_envoy_service_auth_v3_AttributeContext_TLSSession__Output | null);
  /**
   * Metadata of the route.
   */
  'routeMetadataContext': (_envoy_config_core_v3_Metadata__Output | null);
}
