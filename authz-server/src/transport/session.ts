import type { Budget } from "./budget.ts";
import type { Calls } from "./calls.ts";
import type { Payload } from "./frame-reader.ts";
import { HeadReader } from "./head-reader.ts";
import { type HeaderBlock, HeaderBlocks } from "./header-blocks.ts";
import { ConnectionError, ERROR, FLAG, FRAME, MAX_STREAM_ID, MAX_WINDOW, protocolError } from "./http2.ts";
import type { TransportLimits } from "./limits.ts";
import type { Method } from "./method.ts";
import type { Output } from "./output.ts";
import { type ReceiveWindows, readSettings } from "./settings.ts";
import type { StreamIds } from "./stream-ids.ts";

export interface SessionOptions {
  readonly methods: ReadonlyMap<string, Method>;
  readonly limits: TransportLimits;
  readonly windows: ReceiveWindows;
  readonly output: Output;
  readonly calls: Calls;
  readonly ids: StreamIds;
  readonly idleFrames: Budget;
  readonly nowMs: () => number;
  /** The peer has taken note of our SETTINGS. */
  readonly onSettled: () => void;
  /** The peer answers a PING of ours that began with this byte. */
  readonly onPong: (first: number) => void;
  /** The peer opens no more streams. */
  readonly onGoaway: () => void;
}

/** What each frame of a peer means (RFC 9113, §6). What it may not mean is thrown. */
export class Session {
  readonly #options: SessionOptions;
  readonly #output: Output;
  readonly #calls: Calls;
  readonly #ids: StreamIds;
  readonly #windows: ReceiveWindows;
  readonly #idleFrames: Budget;
  readonly #blocks: HeaderBlocks;
  readonly #heads: HeadReader<Method>;
  #receiveWindow: number;
  #hasSettings = false;
  #takesCalls = true;

  constructor(options: SessionOptions) {
    const { methods, limits, windows } = options;
    this.#options = options;
    this.#output = options.output;
    this.#calls = options.calls;
    this.#ids = options.ids;
    this.#windows = windows;
    this.#idleFrames = options.idleFrames;
    this.#blocks = new HeaderBlocks(limits);
    this.#heads = new HeadReader(methods, limits.maxHeaderListBytes);
    this.#receiveWindow = windows.connection;
  }

  /** The peer speaks HTTP/2. */
  get hasSettings(): boolean {
    return this.#hasSettings;
  }

  /** Whether a header block has begun that is not whole. */
  get isInHeaderBlock(): boolean {
    return this.#blocks.isOpen;
  }

  /** From now on streams that the peer opens are ignored: it was told so. */
  stopTakingCalls(): void {
    this.#takesCalls = false;
  }

  /** The next frame. @throws {ConnectionError} and {HpackError}: the connection can't go on */
  frame(type: number, flags: number, streamId: number, payload: Payload): void {
    if (this.#blocks.isOpen && type !== FRAME.continuation) throw protocolError("a frame inside of a header block");
    if (!this.#hasSettings && (type !== FRAME.settings || (flags & FLAG.ack) !== 0)) {
      throw protocolError("the first frame is not SETTINGS");
    }
    switch (type) {
      case FRAME.data:
        this.#data(flags, streamId, payload);
        break;
      case FRAME.headers:
        if (streamId === 0) throw protocolError("HEADERS for stream 0");
        this.#block(this.#blocks.begin(flags, streamId, payload));
        break;
      case FRAME.continuation:
        this.#block(this.#blocks.go(flags, streamId, payload));
        break;
      case FRAME.rstStream:
        this.#rstStream(streamId, payload);
        break;
      case FRAME.settings:
        this.#settings(flags, streamId, payload);
        break;
      case FRAME.ping:
        this.#ping(flags, streamId, payload);
        break;
      case FRAME.goaway:
        this.#goaway(streamId, payload);
        break;
      case FRAME.windowUpdate:
        this.#windowUpdate(streamId, payload);
        break;
      case FRAME.priority:
        this.#priority(streamId, payload);
        break;
      case FRAME.pushPromise:
        throw protocolError("PUSH_PROMISE from a client");
      default:
        this.#countIdleFrame(); // extensions are ignored
    }
  }

  #data(flags: number, streamId: number, payload: Payload): void {
    if (streamId === 0) throw protocolError("DATA for stream 0");
    const size = payload.end - payload.start;
    this.#receiveWindow -= size;
    if (this.#receiveWindow < 0) throw protocolError("more DATA than the window lets", ERROR.flowControlError);
    if (this.#receiveWindow < this.#windows.connection / 2) {
      this.#output.frames.number(FRAME.windowUpdate, 0, this.#windows.connection - this.#receiveWindow);
      this.#receiveWindow = this.#windows.connection;
    }
    if ((flags & FLAG.padded) !== 0) removePadding(payload);
    const isLast = (flags & FLAG.endStream) !== 0;
    const stream = this.#calls.find(streamId);
    if ((payload.start === payload.end && !isLast) || stream === undefined) this.#countIdleFrame();
    if (stream === undefined) {
      if (!this.#isTooLate(streamId)) this.#ids.assertClosedByUs(streamId);
      return;
    }
    if (!stream.isReceiving) throw protocolError("DATA after the end of a stream", ERROR.streamClosed);
    this.#calls.data(stream, payload, size, isLast);
  }

  /** A header block, if it is whole: a new stream, or the trailers of one. */
  #block(block: HeaderBlock | null): void {
    if (block === null) return;
    const { streamId, isLast, bytes, start, end } = block;
    const stream = this.#calls.find(streamId);
    if (stream !== undefined) {
      if (!stream.isReceiving) throw protocolError("HEADERS after the end of a stream", ERROR.streamClosed);
      const fault = this.#heads.readTrailers(bytes, start, end);
      if (fault !== null || !isLast) this.#calls.reset(stream, ERROR.protocolError);
      else this.#calls.endRequest(stream);
      return;
    }
    if (streamId <= this.#ids.last) {
      this.#ids.assertClosedByUs(streamId);
      this.#heads.readTrailers(bytes, start, end); // for the table
      return;
    }
    const isTooLate = this.#isTooLate(streamId);
    if (!isTooLate) this.#ids.open(streamId);
    const head = this.#heads.readHead(bytes, start, end);
    if (isTooLate) this.#countIdleFrame();
    else this.#calls.open(streamId, head, isLast);
  }

  /** A stream that our last GOAWAY did not count: the peer sends it to somebody else. */
  #isTooLate(streamId: number): boolean {
    return !this.#takesCalls && streamId > this.#ids.last;
  }

  #rstStream(streamId: number, payload: Payload): void {
    assertLength(payload, 4);
    if (streamId === 0) throw protocolError("RST_STREAM for stream 0");
    const stream = this.#calls.find(streamId);
    if (stream === undefined) {
      if (!this.#isTooLate(streamId)) this.#ids.assertUsed(streamId);
      this.#countIdleFrame();
      return;
    }
    this.#calls.close(stream, true);
    this.#calls.countReset();
  }

  #settings(flags: number, streamId: number, payload: Payload): void {
    if (streamId !== 0) throw protocolError("SETTINGS for a stream");
    this.#countIdleFrame();
    if ((flags & FLAG.ack) !== 0) {
      assertLength(payload, 0);
      this.#options.onSettled();
      return;
    }
    if ((payload.end - payload.start) % 6 !== 0) throw protocolError("SETTINGS of odd length", ERROR.frameSizeError);
    this.#hasSettings = true;
    readSettings(payload, (bytes) => this.#setInitialWindow(bytes));
    this.#output.frames.frame(FRAME.settings, FLAG.ack, 0, NOTHING);
    this.#output.pumpAll(this.#calls.answered); // windows may have grown
  }

  /** Streams that exist get the difference; their windows may turn negative (RFC 9113, §6.9.2). */
  #setInitialWindow(bytes: number): void {
    const difference = bytes - this.#output.initialWindow;
    this.#output.initialWindow = bytes;
    for (const stream of this.#calls.all()) {
      stream.sendWindow += difference;
      if (stream.sendWindow > MAX_WINDOW) throw protocolError("a window beyond 2^31-1", ERROR.flowControlError);
    }
  }

  #ping(flags: number, streamId: number, payload: Payload): void {
    if (streamId !== 0) throw protocolError("PING for a stream");
    assertLength(payload, 8);
    const { bytes, start, end } = payload;
    if ((flags & FLAG.ack) === 0) this.#output.frames.frame(FRAME.ping, FLAG.ack, 0, bytes.subarray(start, end));
    else this.#options.onPong(bytes[start] ?? 0);
    this.#countIdleFrame();
  }

  /** The peer opens no more streams. */
  #goaway(streamId: number, { start, end }: Payload): void {
    if (streamId !== 0) throw protocolError("GOAWAY for a stream");
    if (end - start < 8) throw protocolError("a short GOAWAY", ERROR.frameSizeError);
    this.#countIdleFrame();
    this.#options.onGoaway();
  }

  #windowUpdate(streamId: number, payload: Payload): void {
    assertLength(payload, 4);
    this.#countIdleFrame();
    const more = payload.bytes.readUInt32BE(payload.start) & MAX_WINDOW;
    if (streamId === 0) {
      if (more === 0) throw protocolError("WINDOW_UPDATE of 0");
      this.#output.window += more;
      if (this.#output.window > MAX_WINDOW) throw protocolError("a window beyond 2^31-1", ERROR.flowControlError);
      this.#output.pumpAll(this.#calls.answered);
      return;
    }
    const stream = this.#calls.find(streamId);
    if (stream === undefined) {
      // It may have crossed with the end of our answer.
      if (!this.#isTooLate(streamId)) this.#ids.assertUsed(streamId);
      return;
    }
    stream.sendWindow += more;
    if (more === 0) this.#calls.reset(stream, ERROR.protocolError);
    else if (stream.sendWindow > MAX_WINDOW) this.#calls.reset(stream, ERROR.flowControlError);
    else if (stream.unsent.length > 0 && this.#output.pump(stream)) this.#calls.answered(stream);
  }

  /** Priorities are not kept; they only have to be well-formed. */
  #priority(streamId: number, payload: Payload): void {
    if (streamId === 0) throw protocolError("PRIORITY for stream 0");
    assertLength(payload, 5);
    this.#countIdleFrame();
    if ((payload.bytes.readUInt32BE(payload.start) & MAX_STREAM_ID) === streamId) {
      throw protocolError("a stream that depends on itself");
    }
  }

  #countIdleFrame(): void {
    if (!this.#idleFrames.take(this.#options.nowMs())) {
      throw new ConnectionError(ERROR.enhanceYourCalm, "flood", "too many frames that carry nothing");
    }
  }
}

const NOTHING = Buffer.alloc(0);

function removePadding(payload: Payload): void {
  payload.end -= payload.bytes[payload.start] ?? 0;
  payload.start += 1;
  if (payload.end < payload.start) throw protocolError("more padding than frame");
}

function assertLength({ start, end }: Payload, length: number): void {
  if (end - start !== length) throw protocolError(`a frame of ${end - start} bytes`, ERROR.frameSizeError);
}
