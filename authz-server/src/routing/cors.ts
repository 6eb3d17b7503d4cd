import type { CorsPolicy, PolicyRef } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import type { HeaderMutation, Respond } from "../decision.ts";
import { firstHeader, type HeaderLine, toByteString } from "../http-request.ts";
import { compileAnyOf } from "../policy/string-matcher.ts";

/** A preflight is answered here; the response of any other request from an allowed origin gets headers. */
export type CorsOutcome = { readonly kind: "headers"; readonly headers: readonly HeaderMutation[] } | Respond;

/** Does what Envoy's cors filter does for one request. */
export type CorsFilter = (request: RequestAttributes) => CorsOutcome;

/** Prepares the `corsPolicy` of a route. @throws RE2JSException for a regular expression that is not RE2 */
export function prepareCors(policy: CorsPolicy, ref: PolicyRef): CorsFilter {
  const isListed = compileAnyOf(policy.allowOrigins, toByteString);
  // In Envoy an entry that fits the text "*" allows every origin.
  const isAny = isListed("*") || policy.allowOrigins.some(({ kind }) => kind === "present");
  const credentials = policy.allowCredentials === true ? [header("access-control-allow-credentials", "true")] : [];
  const common = [...credentials, ...listHeader("access-control-expose-headers", policy.exposeHeaders)];
  const ofPreflight = [
    ...listHeader("access-control-allow-methods", policy.allowMethods),
    ...listHeader("access-control-allow-headers", policy.allowHeaders),
    ...(policy.maxAgeSec === null ? [] : [header("access-control-max-age", String(policy.maxAgeSec))]),
  ];
  return ({ request }) => {
    const origin = firstHeader(request.headers, "origin") ?? "";
    if (origin === "") return NO_HEADERS;
    const isPreflight =
      request.method === "OPTIONS" && (firstHeader(request.headers, "access-control-request-method") ?? "") !== "";
    if (!isAny && !isListed(origin)) {
      // Envoy names no origin then, but all else that it would tell an allowed one.
      const isIgnored = isPreflight && policy.unmatchedPreflights === "IGNORE";
      return isIgnored ? answer([...credentials, ...ofPreflight], ref) : NO_HEADERS;
    }
    const allowed = { name: "access-control-allow-origin", value: origin };
    if (isPreflight) return answer([allowed, ...common, ...ofPreflight], ref);
    return { kind: "headers", headers: [allowed, ...common].map((line) => ({ ...line, append: false })) };
  };
}

const NO_HEADERS: CorsOutcome = { kind: "headers", headers: [] };

function answer(headers: readonly HeaderLine[], ref: PolicyRef): Respond {
  return { kind: "respond", status: 200, headers, body: "", reason: "cors_preflight", ref };
}

function listHeader(name: string, values: readonly string[]): readonly HeaderLine[] {
  return values.length === 0 ? [] : [header(name, values.join(","))];
}

function header(name: string, value: string): HeaderLine {
  return { name, value: toByteString(value) };
}
