import type { Payload } from "./frame-reader.ts";
import type { FrameWriter } from "./frame-writer.ts";
import { DEFAULT_WINDOW, ERROR, FRAME, MAX_FRAME_BYTES, MAX_WINDOW, protocolError, SETTING } from "./http2.ts";
import type { TransportLimits } from "./limits.ts";

/** What a connection may have under way in its direction to us. All of it is read at once, so this only has to cover the round trip. */
const CONNECTION_WINDOW = 8 << 20;

/** Our windows: what the peer may send before it hears from us. */
export interface ReceiveWindows {
  readonly connection: number;
  /** Enough for the largest message with its prefix: a stream needs no WINDOW_UPDATE. */
  readonly stream: number;
}

/** @param maxMessageBytes of the limits */
export function receiveWindows({ maxMessageBytes }: TransportLimits): ReceiveWindows {
  const stream = Math.max(DEFAULT_WINDOW, maxMessageBytes + MAX_FRAME_BYTES);
  return { connection: Math.max(CONNECTION_WINDOW, 2 * stream), stream };
}

/** The first frames of this side: SETTINGS, and the connection's window. */
export function writeSettings(frames: FrameWriter, limits: TransportLimits, windows: ReceiveWindows): void {
  const settings = [
    [SETTING.maxConcurrentStreams, limits.maxConcurrentStreams],
    [SETTING.initialWindowSize, windows.stream],
    [SETTING.maxHeaderListSize, limits.maxHeaderListBytes],
    [SETTING.noRfc7540Priorities, 1],
  ] as const;
  const payload = Buffer.alloc(settings.length * 6);
  settings.forEach(([id, value], i) => {
    payload.writeUInt16BE(id, i * 6);
    payload.writeUInt32BE(value, i * 6 + 2);
  });
  frames.frame(FRAME.settings, 0, 0, payload);
  frames.number(FRAME.windowUpdate, 0, windows.connection - DEFAULT_WINDOW);
}

/**
 * Reads the peer's SETTINGS (RFC 9113, §6.5.2). Of those that mean something to this side only one is not fixed anyway.
 * @param onInitialWindow called for each value, in their order
 * @throws {ConnectionError} for values that are not allowed
 */
export function readSettings({ bytes, start, end }: Payload, onInitialWindow: (bytes: number) => void): void {
  for (let at = start; at < end; at += 6) {
    const id = bytes.readUInt16BE(at);
    const value = bytes.readUInt32BE(at + 2);
    if (id === SETTING.enablePush && value > 1) throw protocolError("SETTINGS_ENABLE_PUSH is neither 0 nor 1");
    if (id === SETTING.maxFrameSize && (value < MAX_FRAME_BYTES || value > 0xffffff)) {
      throw protocolError("SETTINGS_MAX_FRAME_SIZE is out of bounds");
    }
    if (id !== SETTING.initialWindowSize) continue;
    if (value > MAX_WINDOW) throw protocolError("SETTINGS_INITIAL_WINDOW_SIZE is too large", ERROR.flowControlError);
    onInitialWindow(value);
  }
}
