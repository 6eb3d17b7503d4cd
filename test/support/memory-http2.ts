import { Duplex } from "node:stream";
import { Connection } from "../../authz-server/src/transport/connection.ts";
import { DEFAULT_TRANSPORT_LIMITS, type TransportLimits } from "../../authz-server/src/transport/limits.ts";
import type { Method } from "../../authz-server/src/transport/method.ts";
import { CHECK, type ReceivedFrame } from "./raw-http2.ts";

/** One connection of our own transport with nothing around it: what goes in has its effect at once. */
export interface MemoryHttp2 {
  /** Bytes arrive from the peer. */
  receive(bytes: Uint8Array): void;
  /** Time passes, and the connection is looked at. */
  tick(ms: number): void;
  /** What was sent so far, as frames; throws when it is not whole frames. */
  sent(): readonly ReceivedFrame[];
  /** Messages that calls brought. */
  readonly messages: readonly Uint8Array[];
  /** Why it was cut; `internal` is a bug. */
  readonly cuts: readonly string[];
  readonly isEnded: boolean;
}

/** @param answer what the method Check does; default: it sends the message back */
export function openMemoryHttp2(
  limits: Partial<TransportLimits> = {},
  answer: (message: Uint8Array) => Uint8Array | Promise<Uint8Array> = (message) => message,
): MemoryHttp2 {
  const output: Buffer[] = [];
  const messages: Uint8Array[] = [];
  const cuts: string[] = [];
  let nowMs = 0;
  let isEnded = false;
  const socket = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _encoding, done) {
      output.push(Buffer.from(chunk));
      done();
    },
    final(done) {
      isEnded = true;
      done();
    },
  });
  const check: Method = {
    kind: "unary",
    answer(message) {
      messages.push(Buffer.from(message));
      return answer(message);
    },
  };
  const connection = new Connection({
    socket,
    methods: new Map([[CHECK, check]]),
    limits: { ...DEFAULT_TRANSPORT_LIMITS, ...limits },
    nowMs: () => nowMs,
    random: () => 0.5,
    onCut: (reason, error) => void cuts.push(reason === "internal" ? `internal: ${String(error)}` : reason),
    onMethodError: (error) => void cuts.push(`internal: ${String(error)}`),
  });
  return {
    receive: (bytes) => void socket.emit("data", Buffer.from(bytes)),
    tick(ms) {
      nowMs += ms;
      connection.tick();
    },
    sent: () => readFrames(Buffer.concat(output)),
    messages,
    cuts,
    get isEnded() {
      return isEnded;
    },
  };
}

function readFrames(bytes: Buffer): ReceivedFrame[] {
  const frames: ReceivedFrame[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 9 + bytes.readUIntBE(at, 3);
    if (end > bytes.length) throw new Error("half a frame was sent");
    const [type = 0, flags = 0] = bytes.subarray(at + 3, at + 5);
    frames.push({ type, flags, streamId: bytes.readUInt32BE(at + 5), payload: bytes.subarray(at + 9, end) });
    at = end;
  }
  return frames;
}
