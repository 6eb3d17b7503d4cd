/** Why keys could not be fetched. Also a label value of metrics, so the set is closed. */
export type FailureClass =
  | "blocked"
  | "bad_uri"
  | "dns"
  | "connect"
  | "tls"
  | "timeout"
  | "status"
  | "redirect"
  | "too_large"
  | "encoded"
  | "not_json"
  | "no_usable_key"
  | "stopped"
  | "other";

/** One failed attempt. `detail` is made of our own words and a status code: what a server says is never repeated. */
export interface FetchFailure {
  readonly class: FailureClass;
  readonly detail: string;
}

/** Thrown inside of one attempt; its edge turns it into a `FetchFailure`. */
export class KeyFetchError extends Error {
  readonly class: FailureClass;

  constructor(failureClass: FailureClass, detail: string) {
    super(detail);
    this.class = failureClass;
  }
}

/** Classifies whatever an attempt threw. @param hasTimedOut the deadline of the attempt has passed */
export function toFailure(error: unknown, hasTimedOut: boolean): FetchFailure {
  for (const cause of causesOf(error)) {
    if (cause instanceof KeyFetchError) return { class: cause.class, detail: cause.message };
  }
  if (hasTimedOut) return { class: "timeout", detail: "no complete answer in time" };
  for (const cause of causesOf(error)) {
    const code = codeOf(cause);
    const known = BY_CODE.find(({ pattern }) => pattern.test(code));
    if (known !== undefined) return { class: known.class, detail: `${known.text} (${code})` };
  }
  return { class: "other", detail: "the answer can't be read" };
}

const BY_CODE: readonly { readonly pattern: RegExp; readonly class: FailureClass; readonly text: string }[] = [
  { pattern: /^(ENOTFOUND|EAI_[A-Z]+|ENODATA)$/, class: "dns", text: "the name does not resolve" },
  { pattern: /^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/, class: "timeout", text: "no complete answer in time" },
  {
    pattern: /^UND_ERR_RES_EXCEEDED|^UND_ERR_HEADERS_OVERFLOW$|^HPE_HEADER_OVERFLOW$/,
    class: "too_large",
    text: "the answer is too large",
  },
  {
    pattern: /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|EPROTO|HOSTNAME_MISMATCH)/,
    class: "tls",
    text: "the TLS connection is not trusted",
  },
  {
    pattern: /^(ECONN|EHOST|ENET|EADDR|EPIPE|EACCES|ETIMEDOUT|UND_ERR_SOCKET)/,
    class: "connect",
    text: "no connection",
  },
];

/** The error and what caused it; of several attempts at once, each. */
function causesOf(error: unknown): readonly unknown[] {
  const causes: unknown[] = [];
  for (const queue = [error]; queue.length > 0 && causes.length < 20; ) {
    const next = queue.shift();
    causes.push(next);
    if (next instanceof AggregateError) queue.push(...next.errors);
    if (next instanceof Error && next.cause !== undefined) queue.push(next.cause);
  }
  return causes;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}
