import type { Duplex } from "node:stream";
import { Budget } from "./budget.ts";
import { Calls } from "./calls.ts";
import { FrameReader } from "./frame-reader.ts";
import { HpackError } from "./hpack/hpack-error.ts";
import { ConnectionError, type CutReason, ERROR, type ErrorCode, FRAME, MAX_STREAM_ID } from "./http2.ts";
import { Lifetime } from "./lifetime.ts";
import type { TransportLimits } from "./limits.ts";
import type { Method } from "./method.ts";
import { Output } from "./output.ts";
import { Session } from "./session.ts";
import { receiveWindows, writeSettings } from "./settings.ts";
import { StreamIds } from "./stream-ids.ts";

export interface ConnectionOptions {
  /** Connected; for TLS after the handshake. */
  readonly socket: Duplex;
  /** By path. */
  readonly methods: ReadonlyMap<string, Method>;
  readonly limits: TransportLimits;
  /** Monotonic, milliseconds. */
  readonly nowMs: () => number;
  /** In [0, 1). */
  readonly random: () => number;
  /** A limit or the protocol was broken, or something here failed; the connection ends. */
  readonly onCut: (reason: CutReason | "internal", error: unknown) => void;
  /** A method threw; the call was answered with INTERNAL. */
  readonly onMethodError: (error: unknown) => void;
}

/** After a GOAWAY the peer gets that long to read it. */
const LINGER_MS = 1000;
/** PINGs of our own, told apart by their first byte. */
const KEEPALIVE_PING = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);
const LEAVING_PING = Buffer.from([2, 0, 0, 0, 0, 0, 0, 0]);

/**
 * One HTTP/2 connection (RFC 9113), server side: reads frames, keeps limits, and ends.
 * Whatever the peer does wrong ends in `#cut`, with GOAWAY; nothing is thrown out of here.
 */
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Duplex;
  readonly #reader: FrameReader;
  readonly #session: Session;
  readonly #output: Output;
  readonly #calls: Calls;
  readonly #ids = new StreamIds();
  readonly #budgets: readonly [Budget, Budget];
  readonly #lifetime: Lifetime;
  #nowMs: number;
  #isReading = false;
  #flushing: NodeJS.Immediate | null = null;
  /** `open`; `warned`: asked to leave, new calls still taken; `leaving`: no new calls; `closed`: GOAWAY is the last word. */
  #state: "open" | "warned" | "leaving" | "closed" = "open";
  #stateSinceMs: number;
  #lingerMs: number = LINGER_MS;

  constructor(options: ConnectionOptions) {
    const { socket, methods, limits, nowMs, random } = options;
    this.#options = options;
    this.#socket = socket;
    this.#nowMs = nowMs();
    this.#stateSinceMs = this.#nowMs;
    this.#lifetime = new Lifetime(limits, this.#nowMs, random());
    const windows = receiveWindows(limits);
    this.#output = new Output(socket);
    this.#budgets = [new Budget(limits.resets, this.#nowMs), new Budget(limits.idleFrames, this.#nowMs)];
    const [resets, idleFrames] = this.#budgets;
    this.#calls = new Calls({
      limits,
      output: this.#output,
      ids: this.#ids,
      resets,
      receiveWindow: windows.stream,
      nowMs: () => this.#nowMs,
      onMethodError: options.onMethodError,
      onAnswered: () => this.#answered(),
      outsideOfFrame: (run) => this.#outsideOfFrame(run),
    });
    this.#session = new Session({
      ...{ methods, limits, windows, idleFrames, output: this.#output, calls: this.#calls, ids: this.#ids },
      nowMs: () => this.#nowMs,
      onSettled: () => this.#lifetime.acknowledged(),
      onPong: (first) => this.#pong(first),
      onGoaway: () => this.#refuseNewCalls(),
    });
    this.#reader = new FrameReader((type, flags, streamId, payload) => {
      if (this.#state === "closed") return;
      if (!this.#session.isInHeaderBlock) this.#lifetime.whole();
      this.#session.frame(type, flags, streamId, payload);
    });
    writeSettings(this.#output.frames, limits, windows);
    this.#output.flush();
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("drain", () => this.#drained());
    // Without a listener a reset connection would end the process; "close" follows.
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#closed());
  }

  /** Asks the peer to leave: calls that it has sent are answered, then the connection is closed. */
  leave(): void {
    if (this.#state !== "open") return;
    if (!this.#session.hasSettings) {
      this.#socket.destroy();
      return;
    }
    this.#enter("warned");
    // A peer that has seen this opens no more streams; what it sent before is known when the PING is back (RFC 9113, §6.8).
    this.#output.frames.goaway(MAX_STREAM_ID, ERROR.noError);
    this.#output.frames.frame(FRAME.ping, 0, 0, LEAVING_PING);
    this.#output.flush();
  }

  /** Looks at what takes too long; called about once a second. */
  tick(): void {
    this.#outsideOfFrame(() => {
      this.#nowMs = this.#options.nowMs();
      const inStateMs = this.#nowMs - this.#stateSinceMs;
      if (this.#state === "closed") {
        if (inStateMs > this.#lingerMs) this.#socket.destroy();
        return;
      }
      this.#output.frames.release();
      const due = this.#lifetime.check(this.#nowMs, this.#calls.size);
      if (due === "ping") this.#output.frames.frame(FRAME.ping, 0, 0, KEEPALIVE_PING);
      this.#calls.expireRequests(this.#nowMs);
      if (due === "leave" && this.#state === "open") this.leave();
      else if (this.#state === "warned" && inStateMs > LINGER_MS) this.#refuseNewCalls();
      else if (this.#state === "leaving" && inStateMs > this.#options.limits.maxConnectionAgeGraceMs) {
        this.#socket.destroy();
      }
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#state === "closed") return; // the peer has not read our GOAWAY yet
    this.#nowMs = this.#options.nowMs();
    this.#lifetime.heard(this.#nowMs);
    this.#isReading = true;
    try {
      this.#reader.push(chunk);
    } catch (error) {
      this.#cut(error);
    }
    this.#isReading = false;
    if (!this.#reader.isBetweenFrames || this.#session.isInHeaderBlock) this.#lifetime.partial(this.#nowMs);
    this.#calls.armTimeouts();
    this.#leaveIfDone();
    this.#flush();
  }

  #answered(): void {
    this.#lifetime.answered(this.#nowMs);
    for (const budget of this.#budgets) budget.earn();
    this.#leaveIfDone();
  }

  #outsideOfFrame(run: () => void): void {
    if (this.#state === "closed" && this.#socket.destroyed) return;
    try {
      run();
    } catch (error) {
      this.#cut(error);
    }
    // Other answers may be ready by the end of this turn of the event loop.
    if (this.#isReading || this.#output.frames.isEmpty) return;
    this.#flushing ??= setImmediate(() => {
      this.#flushing = null;
      this.#flush();
    });
  }

  /** A peer that does not read what it asked for is not listened to. */
  #flush(): void {
    this.#output.flush();
    if (this.#output.unsentBytes <= this.#options.limits.maxUnsentBytes) return;
    this.#lifetime.unsent(this.#nowMs);
    this.#socket.pause();
  }

  #drained(): void {
    this.#lifetime.drained();
    this.#socket.resume();
  }

  #pong(first: number): void {
    if (this.#state === "warned" && first === LEAVING_PING[0]) this.#refuseNewCalls();
  }

  #refuseNewCalls(): void {
    if (this.#state !== "open" && this.#state !== "warned") return;
    this.#session.stopTakingCalls();
    this.#enter("leaving");
    this.#output.frames.goaway(this.#ids.last, ERROR.noError);
    this.#leaveIfDone();
  }

  #leaveIfDone(): void {
    if (this.#state === "leaving" && this.#calls.size === 0) this.#end(this.#options.limits.unsentTimeoutMs);
  }

  /** The one way in which faults end: GOAWAY, no more calls, and soon the end of the connection. */
  #cut(error: unknown): void {
    if (this.#state === "closed") return;
    const { code, reason } = faultOf(error);
    this.#calls.cancelAll();
    this.#output.frames.goaway(this.#ids.last, code);
    this.#end(LINGER_MS);
    this.#options.onCut(reason, error);
  }

  /** @param lingerMs what the peer gets to read the rest and to go */
  #end(lingerMs: number): void {
    this.#lingerMs = lingerMs;
    this.#enter("closed");
    this.#output.flush();
    this.#socket.end();
    this.#socket.resume(); // what still comes is thrown away, so that the peer gets our last bytes and not a reset
  }

  #enter(state: "warned" | "leaving" | "closed"): void {
    this.#state = state;
    this.#stateSinceMs = this.#options.nowMs();
  }

  #closed(): void {
    this.#state = "closed";
    this.#calls.cancelAll();
  }
}

function faultOf(error: unknown): { readonly code: ErrorCode; readonly reason: CutReason | "internal" } {
  if (error instanceof ConnectionError) return error;
  if (error instanceof HpackError) return { code: ERROR.compressionError, reason: "protocol" };
  return { code: ERROR.internalError, reason: "internal" };
}
