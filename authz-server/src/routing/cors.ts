import type { CorsPolicy, PolicyRef } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import type { HeaderMutation, Respond } from "../decision.ts";
import { firstHeader, type HeaderLine, toByteString } from "../http-request.ts";
import { compileAnyOf, type TextTest } from "../policy/string-matcher.ts";

/** A preflight is answered here; the response of any other request from an allowed origin gets headers. */
export type CorsOutcome = { readonly kind: "headers"; readonly headers: readonly HeaderMutation[] } | Respond;

const NO_HEADERS: CorsOutcome = { kind: "headers", headers: [] };

/** A CORS policy whose origins are compiled. */
export interface PreparedCors {
  readonly policy: CorsPolicy;
  readonly isAllowedOrigin: TextTest;
}

/** @throws RE2JSException for a regular expression that is not RE2 */
export function prepareCors(policy: CorsPolicy): PreparedCors {
  const { allowOrigins } = policy;
  const isAny = allowOrigins.some(
    (match) => match.kind === "present" || (match.kind === "exact" && match.value === "*"),
  );
  return { policy, isAllowedOrigin: isAny ? () => true : compileAnyOf(allowOrigins, toByteString) };
}

/** Does what Envoy's cors filter does for a route with this policy. */
export function applyCors(cors: PreparedCors | null, { request }: RequestAttributes, ref: PolicyRef): CorsOutcome {
  const origin = cors === null ? "" : (firstHeader(request.headers, "origin") ?? "");
  if (cors === null || origin === "") return NO_HEADERS;
  const { policy } = cors;
  const isPreflight =
    request.method === "OPTIONS" && (firstHeader(request.headers, "access-control-request-method") ?? "") !== "";
  if (!cors.isAllowedOrigin(origin)) {
    return isPreflight && policy.unmatchedPreflights === "IGNORE" ? answer([], ref) : NO_HEADERS;
  }
  const headers = [
    header("access-control-allow-origin", origin),
    ...(policy.allowCredentials === true ? [header("access-control-allow-credentials", "true")] : []),
    ...listHeader("access-control-expose-headers", policy.exposeHeaders),
  ];
  if (!isPreflight) {
    return { kind: "headers", headers: headers.map((line) => ({ ...line, append: false })) };
  }
  const maxAge = policy.maxAgeSec === null ? [] : [header("access-control-max-age", String(policy.maxAgeSec))];
  const methods = listHeader("access-control-allow-methods", policy.allowMethods);
  return answer(
    [...headers, ...methods, ...listHeader("access-control-allow-headers", policy.allowHeaders), ...maxAge],
    ref,
  );
}

function answer(headers: readonly HeaderLine[], ref: PolicyRef): Respond {
  return { kind: "respond", status: 200, headers, body: "", reason: "cors_preflight", ref };
}

function listHeader(name: string, values: readonly string[]): readonly HeaderLine[] {
  return values.length === 0 ? [] : [header(name, values.join(","))];
}

function header(name: string, value: string): HeaderLine {
  return { name, value: toByteString(value) };
}
