import type { Accepted, Authenticated } from "../authn/authn-result.ts";
import { withoutParams } from "../authn/token.ts";
import type { HeaderLine, HttpRequest } from "../http-request.ts";
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
  return {
    request,
    path: target.path,
    query,
    headers: addedHeaders.length === 0 ? kept : [...kept, ...addedHeaders],
    removedHeaders,
    addedHeaders,
    claims: user?.claims ?? null,
    remoteAddress: remoteAddress(request, policy.isGateway, policy.mesh.numTrustedProxies),
  };
}

/** A condition on the header `:path` must see the path that goes on, not another spelling of it. */
function headersToForward(request: HttpRequest, removed: readonly string[], path: string): readonly HeaderLine[] {
  const kept = removed.length === 0 ? request.headers : request.headers.filter(({ name }) => !removed.includes(name));
  if (path === request.path) return kept;
  return kept.map((line) => (line.name === ":path" ? { name: line.name, value: path } : line));
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
