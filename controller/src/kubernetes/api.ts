/**
 * The API server as the controller uses it: one request at a time, and watches. Answers are `unknown` and are read where they
 * are used. Everything that waits ends with the signal or the time limit of its request.
 */
export interface KubernetesApi {
  /** Address of the API server, for messages. */
  readonly server: string;
  /**
   * One request and its JSON answer.
   * @throws {KubernetesError} for every answer that is not 2xx, and for none
   */
  request(request: ApiRequest): Promise<unknown>;
  /**
   * One GET with an answer that does not end by itself, a line at a time, without the line breaks.
   * @throws {KubernetesError} from the iteration, as `request`; also when nothing arrives for `idleMs`
   */
  lines(request: LinesRequest): AsyncIterable<string>;
}

export interface ApiRequest {
  /** Default: `GET`. */
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** From the root, for example `/apis/security.istio.io/v1/authorizationpolicies`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: `application/json`; `application/apply-patch+yaml` for a server-side apply. */
  readonly contentType?: string;
  /** Until the answer is complete, for `lines` until it begins; default 30 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface LinesRequest extends ApiRequest {
  /** Silence of that length ends the answer with an error. */
  readonly idleMs: number;
  /** Called when the answer begins, maybe long before its first line. */
  readonly onOpen?: () => void;
}

/** What went wrong between us and the API server. */
export type KubernetesErrorCode = "HTTP" | "NETWORK" | "TIMEOUT" | "BAD_ANSWER" | "TOO_LARGE" | "ABORTED";

/** A request that did not get the answer it asked for. The message says what was asked, of whom, and what came. */
export class KubernetesError extends Error {
  override readonly name = "KubernetesError";
  readonly code: KubernetesErrorCode;
  /** HTTP status; null unless `code` is `HTTP`. */
  readonly status: number | null;
  /** `reason` of the Status object, such as `Expired`, `Conflict`, `NotFound`. */
  readonly reason: string | null;
  /** From `Retry-After`. */
  readonly retryAfterMs: number | null;

  constructor(code: KubernetesErrorCode, message: string, details: KubernetesErrorDetails = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.status = details.status ?? null;
    this.reason = details.reason ?? null;
    this.retryAfterMs = details.retryAfterMs ?? null;
  }
}

export interface KubernetesErrorDetails {
  readonly status?: number;
  readonly reason?: string | null;
  readonly retryAfterMs?: number | null;
  readonly cause?: unknown;
}
