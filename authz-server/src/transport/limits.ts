/** What one connection may cost. Times in milliseconds. */
export interface TransportLimits {
  /** Largest gRPC message. */
  readonly maxMessageBytes: number;
  /** Calls at the same time; more are refused with REFUSED_STREAM. */
  readonly maxConcurrentStreams: number;
  /** Megabytes of messages and answers that are held because a peer sends or reads slowly; a call that needs more is reset. */
  readonly maxSessionMemoryMb: number;
  readonly maxConnectionIdleMs: number;
  /** ±10 %, so that connections that were opened together do not all come back together. */
  readonly maxConnectionAgeMs: number;
  readonly maxConnectionAgeGraceMs: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Names, values and 32 for each field, as in SETTINGS_MAX_HEADER_LIST_SIZE; and the bytes of a header block. */
  readonly maxHeaderListBytes: number;
  /** CONTINUATION frames of one header block. */
  readonly maxContinuations: number;
  /** From the first byte to the preface with SETTINGS, and for the rest of a frame or of a header block that has begun. */
  readonly headerTimeoutMs: number;
  /** From the headers of a call to its last byte. */
  readonly requestTimeoutMs: number;
  /** Answers that the peer does not read: no more is read from it above so many bytes... */
  readonly maxUnsentBytes: number;
  /** ...and the connection is cut when that lasts. */
  readonly unsentTimeoutMs: number;
  /** Streams that end by RST_STREAM of either side before they were answered. */
  readonly resets: Allowance;
  /** Frames that carry nothing of a call: PING, SETTINGS, WINDOW_UPDATE, PRIORITY, empty ones, unknown ones. */
  readonly idleFrames: Allowance;
}

/** So many at once, so many more each second, and so many more for each answered call. */
export interface Allowance {
  readonly burst: number;
  readonly perSecond: number;
  readonly perCall: number;
}

/** Enough for every proxy in its normal life, and too little to hurt. */
export const DEFAULT_TRANSPORT_LIMITS: TransportLimits = {
  maxMessageBytes: 1 << 20,
  maxConcurrentStreams: 1000,
  maxSessionMemoryMb: 64,
  maxConnectionIdleMs: 600_000,
  maxConnectionAgeMs: 3_600_000,
  maxConnectionAgeGraceMs: 30_000,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  maxHeaderListBytes: 32 * 1024,
  maxContinuations: 16,
  headerTimeoutMs: 10_000,
  requestTimeoutMs: 30_000,
  maxUnsentBytes: 256 * 1024,
  unsentTimeoutMs: 30_000,
  // Node's http2 allows the same burst and rate.
  resets: { burst: 1000, perSecond: 33, perCall: 1 },
  idleFrames: { burst: 1000, perSecond: 100, perCall: 8 },
};
