import type { ServerOptions } from "@grpc/grpc-js";

/** What one caller may cost the check server. */
export interface CheckLimits {
  /** Largest CheckRequest in bytes, also after decompression. */
  readonly maxMessageBytes: number;
  /** Calls at the same time on one connection; Envoy opens another connection beyond it. */
  readonly maxConcurrentStreams: number;
  /** Memory of one HTTP/2 connection in megabytes; more refuses new calls on it. */
  readonly maxSessionMemoryMb: number;
  /** A connection without calls is closed after that many milliseconds. */
  readonly maxConnectionIdleMs: number;
  /** A connection is asked to leave after that many milliseconds (±10 %), so that load spreads over new replicas. */
  readonly maxConnectionAgeMs: number;
  /** What calls get to finish on a connection that was asked to leave, in milliseconds. */
  readonly maxConnectionAgeGraceMs: number;
  /** A silent connection is pinged after that many milliseconds... */
  readonly keepaliveMs: number;
  /** ...and cut when the answer takes longer than that. */
  readonly keepaliveTimeoutMs: number;
}

/** 1 MiB, 1000 streams, 64 MB, idle 10 min, age 1 h with 30 s of grace, ping after 30 s answered within 10 s. */
export const DEFAULT_CHECK_LIMITS: CheckLimits = {
  maxMessageBytes: 1 << 20,
  maxConcurrentStreams: 1000,
  maxSessionMemoryMb: 64,
  maxConnectionIdleMs: 600_000,
  maxConnectionAgeMs: 3_600_000,
  maxConnectionAgeGraceMs: 30_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
};

/** The same limits in grpc-js's words. grpc-js leaves session memory and streams unlimited unless told. */
export function toServerOptions(limits: CheckLimits): ServerOptions {
  return {
    "grpc.max_receive_message_length": limits.maxMessageBytes,
    "grpc.max_concurrent_streams": limits.maxConcurrentStreams,
    "grpc-node.max_session_memory": limits.maxSessionMemoryMb,
    "grpc.max_connection_idle_ms": limits.maxConnectionIdleMs,
    "grpc.max_connection_age_ms": limits.maxConnectionAgeMs,
    "grpc.max_connection_age_grace_ms": limits.maxConnectionAgeGraceMs,
    "grpc.keepalive_time_ms": limits.keepaliveMs,
    "grpc.keepalive_timeout_ms": limits.keepaliveTimeoutMs,
    // Book-keeping of each call that nothing here reads.
    "grpc.enable_channelz": 0,
  };
}
