import type { CorsPolicy, Fault, Retries, Rewrite } from "@gatehouse/protos";
import type {
  CorsPolicy as CorsPolicySpec,
  HTTPFaultInjection,
  HTTPRetry,
  HTTPRewrite,
} from "../resources/gen/types.ts";
import { checkDuration, parseDurationMs } from "./duration.ts";
import { translateStringMatch } from "./http-string-match.ts";
import type { RegexChecks } from "./regex.ts";
import type { Findings } from "./report.ts";

/** A modifier that can't be translated takes its whole route away. */
export const BROKEN = "broken";

/** @returns milliseconds; null when not set or not a duration; 0 is kept, it means "no limit" */
export function translateDuration(text: string | undefined, path: string, findings: Findings): number | null {
  if (text == null) return null;
  const durationMs = parseDurationMs(text);
  if (durationMs === 0) return 0;
  const message = checkDuration(text);
  if (message !== null) findings.invalid(path, message);
  return durationMs === null || durationMs < 0 ? null : Math.round(durationMs);
}

/** Translates `rewrite`. A request that can't be rewritten as asked must not reach the destination. */
export function translateRewrite(
  spec: HTTPRewrite | undefined,
  path: string,
  regexes: RegexChecks,
  findings: Findings,
): Rewrite | null | typeof BROKEN {
  if (spec == null) return null;
  const { uri = "", authority = "", uriRegexRewrite } = spec;
  if (uri === "" && authority === "" && uriRegexRewrite == null) {
    findings.invalid(
      path,
      "rewrite must specify at least one of uri, authority, or uriRegexRewrite. Only one of uri or uriRegexRewrite may be specified",
    );
    return BROKEN;
  }
  if (uri !== "" && uriRegexRewrite != null) {
    findings.invalid(path, "rewrite may only contain one of URI or UriRegexRewrite");
    return BROKEN;
  }
  const match = uriRegexRewrite?.match ?? "";
  const message = uriRegexRewrite == null ? null : regexes.check(match);
  if (message !== null) {
    findings.invalid(`${path}.uriRegexRewrite.match`, message);
    return BROKEN;
  }
  const problem = uriRegexRewrite == null ? null : regexes.checkSubstitution(match, uriRegexRewrite.rewrite ?? "");
  if (problem !== null) {
    findings.invalid(`${path}.uriRegexRewrite.rewrite`, problem);
    return BROKEN;
  }
  const uriRegex = uriRegexRewrite == null ? null : { match, rewrite: uriRegexRewrite.rewrite ?? "" };
  return { uri: uri === "" ? null : uri, uriRegex, authority };
}

/** Translates `retries`. */
export function translateRetries(spec: HTTPRetry | undefined, path: string, findings: Findings): Retries | null {
  if (spec == null) return null;
  const attempts = spec.attempts ?? 0;
  if (attempts < 0) findings.invalid(`${path}.attempts`, "attempts cannot be negative");
  for (const field of ["retryRemoteLocalities", "retryIgnorePreviousHosts", "backoff"] as const) {
    if (spec[field] != null)
      findings.unsupported(`${path}.${field}`, `${field} can't be set by an external authorizer`);
  }
  return {
    attempts: Math.max(attempts, 0),
    perTryTimeoutMs: translateDuration(spec.perTryTimeout, `${path}.perTryTimeout`, findings) ?? 0,
    retryOn: spec.retryOn ?? "",
  };
}

/** Translates `fault`. Without a percentage no request is touched, as in Istio. */
export function translateFault(spec: HTTPFaultInjection | undefined, path: string, findings: Findings): Fault | null {
  if (spec == null) return null;
  const { abort, delay } = spec;
  for (const field of ["grpcStatus", "http2Error"] as const) {
    if (abort?.[field] !== undefined)
      findings.unsupported(`${path}.abort.${field}`, `${field} is not supported: no abort`);
  }
  if (delay?.exponentialDelay !== undefined) {
    findings.unsupported(`${path}.delay.exponentialDelay`, "exponentialDelay is not supported: no delay");
  }
  const status = abort?.httpStatus;
  if (status !== undefined && (status < 200 || status > 599)) {
    findings.invalid(`${path}.abort.httpStatus`, `HTTP status ${status} is not in the range 200-599`);
  }
  const delayMs = translateDuration(delay?.fixedDelay, `${path}.delay.fixedDelay`, findings);
  const delayPercentage = delay?.percentage?.value ?? delay?.percent;
  return {
    abort:
      status === undefined || status < 200 || status > 599
        ? null
        : { status, percentage: readPercentage(abort?.percentage?.value, `${path}.abort.percentage`, findings) },
    delay:
      delayMs === null
        ? null
        : { delayMs, percentage: readPercentage(delayPercentage, `${path}.delay.percentage`, findings) },
  };
}

function readPercentage(value: number | undefined, path: string, findings: Findings): number {
  const percentage = value ?? 0;
  if (percentage < 0 || percentage > 100) findings.invalid(path, `percentage ${percentage} is not in range 0..100`);
  return Math.min(Math.max(percentage, 0), 100);
}

/** Translates `corsPolicy`. An origin that can't be read is left out: it is not allowed. */
export function translateCors(
  spec: CorsPolicySpec | undefined,
  path: string,
  regexes: RegexChecks,
  findings: Findings,
): CorsPolicy | null {
  if (spec == null) return null;
  const origins = (spec.allowOrigins ?? []).map((origin, i) => {
    const rules = { allowsEmptyPrefix: false, star: "invalid" } as const;
    const match = translateStringMatch(origin, "corsPolicy.allowOrigins", rules, regexes);
    const isEmpty = match.value?.kind === "present";
    const problem = isEmpty ? `"corsPolicy.allowOrigins": empty match` : match.problem;
    if (problem !== null) findings.invalid(`${path}.allowOrigins[${i}]`, problem);
    return isEmpty ? null : match.value;
  });
  // The old list counts only when the new one is empty.
  const oldOrigins = (spec.allowOrigin ?? []).map((value) => ({ kind: "exact", value }) as const);
  return {
    allowOrigins: origins.length > 0 ? origins.filter((origin) => origin !== null) : oldOrigins,
    allowMethods: spec.allowMethods ?? [],
    allowHeaders: spec.allowHeaders ?? [],
    exposeHeaders: spec.exposeHeaders ?? [],
    maxAgeSec: secondsOf(translateDuration(spec.maxAge, `${path}.maxAge`, findings)),
    allowCredentials: spec.allowCredentials ?? null,
    unmatchedPreflights: spec.unmatchedPreflights === "IGNORE" ? "IGNORE" : "FORWARD",
  };
}

function secondsOf(durationMs: number | null): number | null {
  return durationMs === null ? null : Math.floor(durationMs / 1000);
}
