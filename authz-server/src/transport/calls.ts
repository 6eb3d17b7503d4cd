import { encodeHttpAnswer, encodeTrailers, encodeTrailersOnly, OK_TRAILERS, RESPONSE_HEADERS } from "./answers.ts";
import type { Budget } from "./budget.ts";
import type { Payload } from "./frame-reader.ts";
import { GRPC, type GrpcStatus, grpcStatus } from "./grpc-status.ts";
import { ConnectionError, ERROR, type ErrorCode, FLAG, FRAME } from "./http2.ts";
import type { TransportLimits } from "./limits.ts";
import { INCOMPLETE, MessageReader, MORE_THAN_ONE, wholeMessage } from "./message-reader.ts";
import type { Method, Reply, StreamingMethod, UnaryMethod } from "./method.ts";
import { type Output, withPrefix } from "./output.ts";
import type { CallHead, HttpAnswer, RequestHead } from "./request-head.ts";
import { Stream } from "./stream.ts";
import type { StreamIds } from "./stream-ids.ts";

export interface CallsOptions {
  readonly limits: TransportLimits;
  readonly output: Output;
  readonly ids: StreamIds;
  readonly resets: Budget;
  readonly receiveWindow: number;
  readonly nowMs: () => number;
  /** A method threw; the call was answered with INTERNAL. */
  readonly onMethodError: (error: unknown) => void;
  /** A call was answered. */
  readonly onAnswered: () => void;
  /** Runs what happens outside of a received frame, with the care that is taken of frames. */
  readonly outsideOfFrame: (run: () => void) => void;
}

/** The calls of one connection: from the headers of each to its answer. */
export class Calls {
  readonly #options: CallsOptions;
  readonly #streams = new Map<number, Stream>();
  /** Calls that were opened by what is being read, and have a time limit. */
  readonly #unarmed: Stream[] = [];
  #heldBytes = 0;

  constructor(options: CallsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#streams.size;
  }

  find(id: number): Stream | undefined {
    return this.#streams.get(id);
  }

  all(): Iterable<Stream> {
    return this.#streams.values();
  }

  /** The peer opens a stream. @param isEnded it sends no more than its headers */
  open(id: number, head: RequestHead<Method>, isEnded: boolean): void {
    const { limits, output, receiveWindow, nowMs } = this.#options;
    if (this.#streams.size >= limits.maxConcurrentStreams) {
      this.resetId(id, ERROR.refusedStream);
      return;
    }
    if (head.kind === "malformed") {
      this.resetId(id, ERROR.protocolError);
      return;
    }
    const stream = new Stream(id, head, { send: output.initialWindow, receive: receiveWindow }, nowMs());
    this.#streams.set(id, stream);
    if (isEnded) this.endRequest(stream);
    else this.#limit(stream);
  }

  /** DATA without its padding. @param size with it */
  data(stream: Stream, { bytes, start, end }: Payload, size: number, isLast: boolean): void {
    stream.receiveWindow -= size;
    if (stream.receiveWindow < 0) {
      this.reset(stream, ERROR.flowControlError);
      return;
    }
    stream.receivedBytes += end - start;
    const failure = this.#take(stream, bytes, start, end);
    if (failure !== null) this.#answerStatus(stream, failure);
    else if (isLast) this.endRequest(stream);
  }

  /** The peer has sent all of its request. */
  endRequest(stream: Stream): void {
    const { head } = stream;
    if (stream.isClosed) return;
    if (head.contentLength !== null && head.contentLength !== stream.receivedBytes) {
      this.reset(stream, ERROR.protocolError);
      return;
    }
    stream.isReceiving = false;
    if (head.kind === "refused") {
      this.#refuse(stream, head.answer);
      return;
    }
    const message = stream.message ?? stream.reader?.finish() ?? INCOMPLETE;
    if (!(message instanceof Uint8Array)) this.#answerStatus(stream, message);
    else if (head.method.kind === "unary") this.#call(stream, head, head.method, message);
    else this.#startStreaming(stream, head.method, message);
  }

  /** Ends a stream by RST_STREAM. @throws {ConnectionError} when that was done too often: the peer makes us do it */
  reset(stream: Stream, code: ErrorCode): void {
    this.close(stream, true);
    this.resetId(stream.id, code);
  }

  /** The same for a stream that is not open. */
  resetId(id: number, code: ErrorCode): void {
    this.#options.output.frames.number(FRAME.rstStream, id, code);
    this.#options.ids.reset(id);
    this.countReset();
  }

  /** A stream was reset, by whichever side. @throws {ConnectionError} when that happened too often */
  countReset(): void {
    if (!this.#options.resets.take(this.#options.nowMs())) {
      throw new ConnectionError(ERROR.enhanceYourCalm, "resets", "too many streams were reset");
    }
  }

  /** Forgets a stream. @param isCancelled nobody gets its answer */
  close(stream: Stream, isCancelled: boolean): void {
    if (stream.isClosed) return;
    this.#hold(stream, 0);
    this.#options.output.forget(stream);
    this.#streams.delete(stream.id);
    stream.close(isCancelled);
  }

  /** The connection is gone. */
  cancelAll(): void {
    for (const stream of this.all()) this.close(stream, true);
  }

  /** A stream whose answer is out in full. */
  readonly answered = (stream: Stream): void => {
    this.close(stream, false);
    this.#options.onAnswered();
    // The rest of a request that was answered early is of no use (RFC 9113, §8.1).
    if (stream.isReceiving) this.resetId(stream.id, ERROR.noError);
  };

  /** Starts the clocks of the calls that what was just read has left open. */
  armTimeouts(): void {
    if (this.#unarmed.length === 0) return;
    for (const stream of this.#unarmed.splice(0)) this.#startTimer(stream);
  }

  /** Resets requests that take too long to arrive. */
  expireRequests(nowMs: number): void {
    for (const stream of this.all()) {
      // In the order of their beginning.
      if (nowMs - stream.startedMs < this.#options.limits.requestTimeoutMs) return;
      if (stream.isReceiving) this.reset(stream, ERROR.cancel);
    }
  }

  /** Most calls are over before their clock would have to be started. */
  #limit(stream: Stream): void {
    if (stream.isLimited || stream.head.kind !== "call" || stream.head.timeoutMs === null) return;
    stream.isLimited = true;
    this.#unarmed.push(stream);
  }

  #startTimer(stream: Stream): void {
    if (stream.isClosed || stream.head.kind !== "call" || stream.head.timeoutMs === null) return;
    stream.startTimer(stream.head.timeoutMs, () =>
      this.#options.outsideOfFrame(() => {
        if (!stream.isClosed) this.#answerStatus(stream, DEADLINE_EXCEEDED, true);
      }),
    );
  }

  /** @returns why the call fails; null: it goes on */
  #take(stream: Stream, bytes: Buffer, start: number, end: number): GrpcStatus | null {
    const { head } = stream;
    const { limits } = this.#options;
    if (head.kind !== "call") {
      // Heard out, but not for ever.
      return stream.receivedBytes > limits.maxMessageBytes ? tooLarge(head.answer) : null;
    }
    if (start === end) return null;
    if (stream.message !== null) return MORE_THAN_ONE;
    if (stream.reader === null) {
      const whole = wholeMessage(bytes, start, end, limits.maxMessageBytes);
      if (whole !== undefined) {
        stream.message = whole;
        return null;
      }
      stream.reader = new MessageReader(limits.maxMessageBytes, head.isCompressed);
    }
    const failure = stream.reader.push(bytes, start, end);
    return failure ?? (this.#hold(stream, stream.reader.heldBytes) ? null : OUT_OF_MEMORY);
  }

  #call(stream: Stream, head: CallHead<Method>, method: UnaryMethod, message: Uint8Array): void {
    let reply: Reply | Promise<Reply>;
    try {
      reply = method.answer(message, head.metadata, stream.onCancel);
    } catch (error) {
      reply = this.#failed(error);
    }
    if (!(reply instanceof Promise)) {
      this.#reply(stream, reply);
      return;
    }
    this.#limit(stream);
    void reply
      .catch((error: unknown) => this.#failed(error))
      .then((settled) => this.#options.outsideOfFrame(() => this.#reply(stream, settled)));
  }

  #failed(error: unknown): GrpcStatus {
    this.#options.onMethodError(error);
    return grpcStatus(GRPC.internal, "internal error");
  }

  #reply(stream: Stream, reply: Reply): void {
    if (stream.isClosed) return;
    if (!(reply instanceof Uint8Array)) {
      this.#answerStatus(stream, reply);
      return;
    }
    if (this.#options.output.answer(stream, RESPONSE_HEADERS, reply, OK_TRAILERS)) this.answered(stream);
    else this.#holdUnsent(stream);
  }

  #startStreaming(stream: Stream, method: StreamingMethod, message: Uint8Array): void {
    const { output, outsideOfFrame } = this.#options;
    const send = (reply: Uint8Array): void => {
      if (stream.isClosed || stream.ending !== null) return;
      if (!stream.isStarted) output.start(stream, RESPONSE_HEADERS);
      stream.unsent.push(withPrefix(reply));
      output.pump(stream);
      this.#holdUnsent(stream);
    };
    const end = (status: GrpcStatus): void => {
      if (!stream.isClosed && stream.ending === null) this.#answerStatus(stream, status);
    };
    try {
      method.start(message, {
        send: (reply) => outsideOfFrame(() => send(reply)),
        end: (status) => outsideOfFrame(() => end(status)),
        onCancel: stream.onCancel,
      });
    } catch (error) {
      end(this.#failed(error));
    }
  }

  /** Ends a call with a status. @param isCancelled the method is still at it, in vain */
  #answerStatus(stream: Stream, status: GrpcStatus, isCancelled = false): void {
    const { output } = this.#options;
    if (isCancelled) stream.cancel();
    if (stream.isStarted) {
      stream.ending = encodeTrailers(status);
      if (output.pump(stream)) this.answered(stream);
      return;
    }
    output.frames.frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream.id, encodeTrailersOnly(status));
    this.answered(stream);
  }

  #refuse(stream: Stream, answer: GrpcStatus | HttpAnswer): void {
    if (answer.kind === "status") {
      this.#answerStatus(stream, answer);
      return;
    }
    const { output } = this.#options;
    const { headers, body } = encodeHttpAnswer(answer);
    if (body.length === 0) {
      output.frames.frame(FRAME.headers, FLAG.endHeaders | FLAG.endStream, stream.id, headers);
      this.answered(stream);
      return;
    }
    output.start(stream, headers);
    stream.unsent.push(body);
    stream.ending = "data";
    if (output.pump(stream)) this.answered(stream);
  }

  /** An answer that waits for the peer's window takes memory too. */
  #holdUnsent(stream: Stream): void {
    const bytes = stream.unsent.reduce((sum, chunk) => sum + chunk.length, 0);
    if (!this.#hold(stream, bytes)) this.reset(stream, ERROR.enhanceYourCalm);
  }

  /** Notes what a stream holds now. @returns whether the connection may hold so much */
  #hold(stream: Stream, bytes: number): boolean {
    this.#heldBytes += bytes - stream.heldBytes;
    stream.heldBytes = bytes;
    return this.#heldBytes <= this.#options.limits.maxSessionMemoryMb * 1_000_000;
  }
}

const DEADLINE_EXCEEDED = grpcStatus(GRPC.deadlineExceeded, "deadline exceeded");
const OUT_OF_MEMORY = grpcStatus(GRPC.resourceExhausted, "this connection has too much under way");

function tooLarge(answer: GrpcStatus | HttpAnswer): GrpcStatus {
  return answer.kind === "status"
    ? answer
    : grpcStatus(GRPC.resourceExhausted, "too much for a request that is refused");
}
