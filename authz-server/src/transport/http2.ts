/** Numbers of RFC 9113 (HTTP/2). */

/** §6 */
export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

/** §6; ACK is of SETTINGS and PING. */
export const FLAG = { endStream: 0x1, ack: 0x1, endHeaders: 0x4, padded: 0x8, priority: 0x20 } as const;

/** §6.5.2, and RFC 9218 §2.1. */
export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  noRfc7540Priorities: 9,
} as const;

/** §7 */
export const ERROR = {
  noError: 0,
  protocolError: 1,
  internalError: 2,
  flowControlError: 3,
  settingsTimeout: 4,
  streamClosed: 5,
  frameSizeError: 6,
  refusedStream: 7,
  cancel: 8,
  compressionError: 9,
  enhanceYourCalm: 11,
} as const;

/** One of `ERROR`. */
export type ErrorCode = (typeof ERROR)[keyof typeof ERROR];

/** What a client sends first (§3.4). */
export const PREFACE: Buffer = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

export const FRAME_HEAD_BYTES = 9;
/** SETTINGS_MAX_FRAME_SIZE before anybody says otherwise; here nobody does. */
export const MAX_FRAME_BYTES = 16_384;
/** Window of a stream and of the connection before anybody says otherwise. */
export const DEFAULT_WINDOW = 65_535;
export const MAX_WINDOW = 0x7fffffff;
export const MAX_STREAM_ID = 0x7fffffff;

/** The peer broke the protocol or a limit, so that the connection has to end (§5.4.1). */
export class ConnectionError extends Error {
  readonly code: ErrorCode;
  /** What was broken, one of few: for metrics. */
  readonly reason: CutReason;

  constructor(code: ErrorCode, reason: CutReason, message: string) {
    super(message);
    this.name = "ConnectionError";
    this.code = code;
    this.reason = reason;
  }
}

/** Why a connection was cut. */
export type CutReason = "protocol" | "flood" | "resets" | "header_block" | "timeout" | "unread_answers";

/** A `ConnectionError` for what RFC 9113 forbids. */
export function protocolError(message: string, code: ErrorCode = ERROR.protocolError): ConnectionError {
  return new ConnectionError(code, "protocol", message);
}
