import type { Logger } from "pino";
import { TokenCache, type TokenCacheLimits } from "../authn/token-cache.ts";
import { type DecideIo, decide } from "../decide.ts";
import { accessDenied, type Decision, type Respond } from "../decision.ts";
import { readCheckRequest } from "../envoy/check-request.ts";
import { encodeCheckResponse } from "../envoy/check-response.ts";
import { ProtoError } from "../envoy/proto-reader.ts";
import type { HttpRequest } from "../http-request.ts";
import type { PolicyState } from "../state.ts";
import type { CheckMetrics } from "../telemetry/metrics.ts";
import type { ListenerIdentity } from "./listener-identity.ts";
import { WorkloadResolver } from "./workload-resolver.ts";

/** gRPC initial metadata of a call; keys in lower case. */
export interface CallMetadata {
  get(key: string): string | undefined;
}

/**
 * Answers one CheckRequest (bytes) with one CheckResponse (bytes), whatever transport carries them.
 * @param listener the workload that the listening port speaks for, if it is bound to one
 * @throws CheckUnavailable, InvalidCheckRequest; nothing else
 */
export type CheckHandler = (
  message: Uint8Array,
  metadata: CallMetadata,
  listener: ListenerIdentity | null,
) => Uint8Array | Promise<Uint8Array>;

/** No policy was ever received. The transport answers UNAVAILABLE, so that Envoy tries another replica. */
export class CheckUnavailable extends Error {}

/** The bytes are no CheckRequest for HTTP. The transport answers INVALID_ARGUMENT. */
export class InvalidCheckRequest extends Error {}

export interface CheckServiceOptions {
  readonly state: PolicyState;
  readonly metrics: CheckMetrics;
  readonly log: Logger;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** In [0, 1); for weights. */
  readonly random?: () => number;
  /** How much is remembered of verified tokens. */
  readonly tokenCache?: TokenCacheLimits;
}

const DEFAULT_TOKEN_CACHE: TokenCacheLimits = { entries: 100_000, bytes: 32 * 1024 * 1024 };

/** Makes the handler: decode, select the policy, decide, encode. The only catch-all of the request path; it fails closed. */
export function createCheckHandler(options: CheckServiceOptions): CheckHandler {
  const { state, metrics, log } = options;
  const resolver = new WorkloadResolver();
  const io = createIo(options);
  return (message, metadata, listener) => {
    const startedMs = performance.now();
    const index = state.current;
    if (index === null) throw new CheckUnavailable("no policy received yet");
    const request = read(message);
    const decision = failClosed(options, () => {
      const workload = resolver.resolve(request, metadata, listener);
      if (workload !== undefined) return decide(index.select(workload), request, io);
      metrics.unknownWorkload();
      const peer = request.destination.address;
      if (resolver.isNewPeer(peer)) log.warn({ peer }, "denied: Envoy does not say which workload it serves");
      return accessDenied("unknown_workload");
    });
    const reason = decision.kind === "allow" ? "allowed" : decision.reason;
    metrics.decision(decision.kind === "allow" ? "allow" : "deny", reason, (performance.now() - startedMs) / 1000);
    return encode(decision, options);
  };
}

const INTERNAL_ERROR: Respond = {
  kind: "respond",
  status: 500,
  headers: [],
  body: "",
  reason: "internal_error",
  ref: null,
};

function read(message: Uint8Array): HttpRequest {
  try {
    const request = readCheckRequest(message);
    if (request !== undefined) return request;
  } catch (error) {
    if (error instanceof ProtoError) throw new InvalidCheckRequest(`not a CheckRequest: ${error.message}`);
    throw error;
  }
  throw new InvalidCheckRequest("no HTTP attributes");
}

function failClosed({ metrics, log }: CheckServiceOptions, decideRequest: () => Decision): Decision {
  try {
    return decideRequest();
  } catch (error) {
    metrics.error("decide");
    log.error({ err: error }, "deciding failed; denied");
    return INTERNAL_ERROR;
  }
}

function encode(decision: Decision, { metrics, log }: CheckServiceOptions): Uint8Array {
  try {
    return encodeCheckResponse(decision);
  } catch (error) {
    metrics.error("encode");
    log.error({ err: error }, "the decision cannot be said to Envoy; denied");
    return encodeCheckResponse(INTERNAL_ERROR);
  }
}

function createIo({ nowMs, random, metrics, tokenCache }: CheckServiceOptions): DecideIo {
  return {
    cache: new TokenCache(tokenCache ?? DEFAULT_TOKEN_CACHE, (result) => metrics.tokenCache(result)),
    now: nowMs,
    random: random ?? Math.random,
    record: { dryRun: (verdict) => metrics.dryRun(verdict.kind) },
  };
}
