// Original file: envoy/config/core/v3/address.proto

import type { SocketAddress as _envoy_config_core_v3_SocketAddress, SocketAddress__Output as _envoy_config_core_v3_SocketAddress__Output } from '../../../../envoy/config/core/v3/SocketAddress.ts';
import type { Pipe as _envoy_config_core_v3_Pipe, Pipe__Output as _envoy_config_core_v3_Pipe__Output } from '../../../../envoy/config/core/v3/Pipe.ts';

/**
 * Where a peer is.
 */
export interface Address {
  /**
   * Of a network.
   */
  'socketAddress'?: (_envoy_config_core_v3_SocketAddress | null);
  /**
   * A unix domain socket.
   */
  'pipe'?: (_envoy_config_core_v3_Pipe | null);
  /**
   * Kind of address.
   */
  'address'?: "socketAddress"|"pipe";
}

/**
 * Where a peer is.
 */
export interface Address__Output {
  /**
   * Of a network.
   */
  'socketAddress'?: (_envoy_config_core_v3_SocketAddress__Output | null);
  /**
   * A unix domain socket.
   */
  'pipe'?: (_envoy_config_core_v3_Pipe__Output | null);
  /**
   * Kind of address.
   */
  'address'?: "socketAddress"|"pipe";
}
