import type { MessageReader } from "./message-reader.ts";
import type { Method, OnCancel } from "./method.ts";
import type { RequestHead } from "./request-head.ts";

/** What a stream is about: a call, or something that is refused once it has been heard out. */
export type StreamHead = Exclude<RequestHead<Method>, { readonly kind: "malformed" }>;

/** One stream of a connection, from its headers until both sides have ended it or one has reset it. */
export class Stream {
  readonly id: number;
  readonly head: StreamHead;
  readonly startedMs: number;
  /** Gone: answered, reset or cut. Whatever still comes for it is too late. */
  isClosed = false;
  /** The peer has not ended its side. */
  isReceiving = true;
  receivedBytes = 0;
  /** Memory that is held for it. */
  heldBytes = 0;
  receiveWindow: number;
  /** The message, if it came in one DATA frame. */
  message: Uint8Array | null = null;
  /** The message, if it did not. */
  reader: MessageReader | null = null;
  sendWindow: number;
  /** Its clock runs, or is about to. */
  isLimited = false;
  /** Response headers are sent. */
  isStarted = false;
  /** DATA payloads that wait for the peer's window, and how much of the first is sent. */
  readonly unsent: Uint8Array[] = [];
  unsentAt = 0;
  /** What follows them: a block of trailers; nothing, END_STREAM being on the last DATA; or more is to come. */
  ending: Uint8Array | "data" | null = null;
  #timer: NodeJS.Timeout | null = null;
  #cancelled: (() => void) | null = null;

  constructor(
    id: number,
    head: StreamHead,
    windows: { readonly send: number; readonly receive: number },
    nowMs: number,
  ) {
    this.id = id;
    this.head = head;
    this.sendWindow = windows.send;
    this.receiveWindow = windows.receive;
    this.startedMs = nowMs;
  }

  /** Whom to call when the caller goes. */
  readonly onCancel: OnCancel = (cancelled) => {
    if (this.isClosed) cancelled();
    else this.#cancelled = cancelled;
  };

  /** Calls back once, unless the stream is closed before. */
  startTimer(afterMs: number, expired: () => void): void {
    this.#timer = setTimeout(expired, Math.min(afterMs, MAX_TIMER_MS));
  }

  /** The stream is over. @param isCancelled nobody got its answer */
  close(isCancelled: boolean): void {
    this.isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (isCancelled) this.cancel();
    this.#cancelled = null;
  }

  /** Tells the method that nobody waits for its answer any more. */
  cancel(): void {
    const cancelled = this.#cancelled;
    this.#cancelled = null;
    cancelled?.();
  }
}

/** The longest that Node's timers can. */
const MAX_TIMER_MS = 0x7fffffff;
