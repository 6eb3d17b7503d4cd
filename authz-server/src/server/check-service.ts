import type { Logger } from "pino";
import { TokenCache, type TokenCacheLimits } from "../authn/token-cache.ts";
import type { AskProvider } from "../custom/provider-answer.ts";
import { type DecideIo, decide } from "../decide.ts";
import { accessDenied, type Decision, type Respond } from "../decision.ts";
import { readCheckRequest } from "../envoy/check-request.ts";
import { encodeCheckResponse } from "../envoy/check-response.ts";
import { ProtoError } from "../envoy/proto-reader.ts";
import type { HttpRequest } from "../http-request.ts";
import type { PolicyState } from "../state.ts";
import type { CheckMetrics } from "../telemetry/metrics.ts";
import type { WorkloadLookup } from "../workload-directory.ts";
import { createDecisionLog } from "./decision-log.ts";
import type { ListenerIdentity } from "./listener-identity.ts";
import { WorkloadResolver } from "./workload-resolver.ts";

/** gRPC initial metadata of a call; keys in lower case. */
export interface CallMetadata {
  get(key: string): string | undefined;
  /** Set where calls share one object: what the handler has found out from it and nothing else. */
  finding?: object | null;
}

/**
 * Answers one CheckRequest (bytes) with one CheckResponse (bytes), whatever transport carries them.
 * @param listener the workload that the listening port speaks for, if it is bound to one
 * @param onCancel tells the transport whom to call when nobody waits for the answer any more
 * @throws CheckUnavailable, InvalidCheckRequest; nothing else
 */
export type CheckHandler = (
  message: Uint8Array,
  metadata: CallMetadata,
  listener: ListenerIdentity | null,
  onCancel?: (cancelled: () => void) => void,
) => Uint8Array | Promise<Uint8Array>;

/** There is no policy that may be enforced: none was ever received, or it is too old. The transport answers UNAVAILABLE, so that Envoy tries another replica. */
export class CheckUnavailable extends Error {}

/** The bytes are no CheckRequest for HTTP. The transport answers INVALID_ARGUMENT. */
export class InvalidCheckRequest extends Error {}

export interface CheckServiceOptions {
  readonly state: PolicyState;
  readonly metrics: CheckMetrics;
  readonly log: Logger;
  /** Where records of AUDIT policies go; default: `log` with `name: "audit"`, whatever its level. */
  readonly auditLog?: Logger | undefined;
  /** Left out: requests that CUSTOM rules are about are denied. */
  readonly askProvider?: AskProvider | undefined;
  /** Finds the workload of `gatehouse-workload: auto`; left out: such requests are denied. */
  readonly workloads?: WorkloadLookup | null;
  /** Hears of tokens that may be signed with a key that the key set of this name lacks. */
  readonly onUnknownKey?: (keySet: string) => void;
  /** Wall clock, milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** In [0, 1); for weights. */
  readonly random?: () => number;
  /** How much is remembered of verified tokens. */
  readonly tokenCache?: TokenCacheLimits;
}

const DEFAULT_TOKEN_CACHE: TokenCacheLimits = { entries: 100_000, bytes: 64 * 1024 * 1024 };

/** Makes the handler: decode, select the policy, decide, encode. The only catch-all of the request path; it fails closed. */
export function createCheckHandler(options: CheckServiceOptions): CheckHandler {
  const { state, metrics, log } = options;
  const resolver = new WorkloadResolver(options.workloads ?? null);
  const io = createIo(options);
  return (message, metadata, listener, onCancel) => {
    const startedMs = performance.now();
    const index = state.current;
    if (index === null) throw new CheckUnavailable("no policy received yet, or none for too long");
    const request = read(message);
    const answer = (decision: Decision): Uint8Array => {
      const reason = decision.kind === "allow" ? "allowed" : decision.reason;
      metrics.decision(decision.kind === "allow" ? "allow" : "deny", reason, (performance.now() - startedMs) / 1000);
      return encode(decision, options);
    };
    const decision = failClosed(options, () => {
      const workload = resolver.resolve(request, metadata, listener);
      if (workload !== undefined) {
        const policy = index.select(workload);
        return decide(policy, request, policy.custom.length === 0 ? io : cancellable(io, onCancel));
      }
      metrics.unknownWorkload();
      const peer = request.destination.address;
      if (resolver.isNewPeer(peer)) log.warn({ peer }, "denied: Envoy does not say which workload it serves");
      return accessDenied("unknown_workload");
    });
    if (!(decision instanceof Promise)) return answer(decision);
    return decision.catch((error: unknown) => failed(error, options)).then(answer);
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

function failClosed(
  options: CheckServiceOptions,
  decideRequest: () => Decision | Promise<Decision>,
): Decision | Promise<Decision> {
  try {
    return decideRequest();
  } catch (error) {
    return failed(error, options);
  }
}

function failed(error: unknown, { metrics, log }: CheckServiceOptions): Decision {
  metrics.error("decide");
  log.error({ err: error }, "deciding failed; denied");
  return INTERNAL_ERROR;
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

/** Questions to providers end when the caller goes. */
function cancellable(io: DecideIo, onCancel: ((cancelled: () => void) => void) | undefined): DecideIo {
  const { askProvider } = io;
  if (askProvider === undefined || onCancel === undefined) return io;
  const ending = new AbortController();
  let isListening = false;
  return {
    ...io,
    askProvider(provider, request) {
      if (!isListening) onCancel(() => ending.abort());
      isListening = true;
      return askProvider(provider, request, ending.signal);
    },
  };
}

function createIo(options: CheckServiceOptions): DecideIo {
  const { nowMs, random, metrics, log, tokenCache } = options;
  return {
    cache: new TokenCache(tokenCache ?? DEFAULT_TOKEN_CACHE, (result) => metrics.tokenCache(result)),
    now: nowMs,
    onTokenWithoutExp: () => metrics.tokenWithoutExp(),
    random: random ?? Math.random,
    record: createDecisionLog({
      metrics,
      log,
      auditLog: options.auditLog ?? log.child({ name: "audit" }, { level: "info" }),
    }),
    askProvider: options.askProvider,
    ...(options.onUnknownKey === undefined ? {} : { onUnknownKey: options.onUnknownKey }),
  };
}
