import type { Accepted, Authenticated } from "../authn/authn-result.ts";
import { withoutParams } from "../authn/token.ts";
import { bareValue, type HeaderLine, type HttpRequest } from "../http-request.ts";
import type { NormalizedTarget } from "../policy/path-normalizer.ts";
import type { WorkloadPolicy } from "../policy/workload-policy.ts";
import type { RequestAttributes } from "./attributes.ts";
import { remoteAddress } from "./remote-address.ts";

/** Works out what rules and routes see of a request whose tokens, if any, were accepted. */
export function toAttributes(
  policy: WorkloadPolicy,
  request: HttpRequest,
  target: NormalizedTarget,
  authn: Accepted,
): RequestAttributes {
  const user = authn.kind === "authenticated" ? authn : null;
  const addedHeaders = user?.outputHeaders ?? NONE;
  const reserved = policy.reservedHeaders.sentIn(request.headers);
  const tokenHeaders = tokenPlaces(user, "header");
  const removedHeaders = reserved.length === 0 ? tokenHeaders : [...reserved, ...tokenHeaders];
  const query = queryWithoutTokens(target.query, tokenPlaces(user, "param"));
  const kept = headersToForward(request, removedHeaders, target.path + query);
  const headers = addedHeaders.length === 0 ? kept : [...kept, ...addedHeaders];
  const isLookedAt = policy.needsRawHeaders || policy.isGateway;
  return {
    request,
    path: target.path,
    query,
    headers: isLookedAt ? withoutOuterBlanks(headers) : headers,
    removedHeaders,
    addedHeaders,
    claims: user?.claims ?? null,
    // Envoy works it out before any filter can change the headers.
    remoteAddress: remoteAddress(request.received ?? request, policy.isGateway, policy.mesh.numTrustedProxies),
  };
}

/** A condition on the header `:path` must see the path that goes on, not another spelling of it. */
function headersToForward(request: HttpRequest, removed: readonly string[], path: string): readonly HeaderLine[] {
  const kept = removed.length === 0 ? request.headers : request.headers.filter(({ name }) => !removed.includes(name));
  if (path === request.path) return kept;
  return kept.map((line) => (line.name === ":path" ? { name: line.name, value: path } : line));
}

/** With HTTP/2, Envoy hands over what a client puts around a value; an upstream that is asked by HTTP/1 does not see it. */
function withoutOuterBlanks(lines: readonly HeaderLine[]): readonly HeaderLine[] {
  if (lines.every(({ value }) => bareValue(value) === value)) return lines;
  return lines.map(({ name, value }) => ({ name, value: bareValue(value) }));
}

function tokenPlaces(user: Authenticated | null, kind: "header" | "param"): readonly string[] {
  if (user === null || user.removeFrom.length === 0) return NONE;
  return user.removeFrom.filter((location) => location.kind === kind).map(({ name }) => name);
}

/** The other pairs stay byte for byte in their order. */
function queryWithoutTokens(query: string, names: readonly string[]): string {
  if (names.length === 0) return query;
  const rest = withoutParams(query.slice(1), new Set(names));
  return rest === "" ? "" : `?${rest}`;
}

const NONE: readonly [] = [];
