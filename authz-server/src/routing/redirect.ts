import type { RouteAction } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import type { Respond } from "../decision.ts";
import { toByteString } from "../http-request.ts";
import type { PreparedRoute } from "./prepared-route.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = { http: "80", https: "443" };

/** The answer of a `redirect`, with Envoy's way to put the location together. */
export function redirect(
  action: Extract<RouteAction, { kind: "redirect" }>,
  chosen: PreparedRoute,
  request: RequestAttributes,
): Respond {
  const scheme = action.scheme === "" ? request.request.scheme : action.scheme;
  const host = toByteString(action.authority) || request.request.host;
  const path = action.uri === "" ? request.path + request.query : redirectPath(action.uri, request);
  const location = `${scheme}://${withPort(host, action, scheme)}${path}`;
  return {
    kind: "respond",
    status: action.code,
    headers: [{ name: "location", value: location }],
    body: "",
    reason: "route_response",
    ref: chosen.ref,
  };
}

/** The answer of a Gateway server with `httpsRedirect` to a plain request. */
export function httpsRedirect({ request, path, query }: RequestAttributes): Respond {
  const host = request.host.replace(/:80$/, "");
  return {
    kind: "respond",
    status: 301,
    headers: [{ name: "location", value: `https://${host}${path}${query}` }],
    body: "",
    reason: "route_response",
    ref: null,
  };
}

// A path without a query of its own keeps the query of the request.
function redirectPath(uri: string, { query }: RequestAttributes): string {
  const target = toByteString(uri);
  return target.includes("?") ? target : target + query;
}

function withPort(host: string, action: Extract<RouteAction, { kind: "redirect" }>, scheme: string): string {
  const bare = host.replace(/:\d+$/, "");
  if (action.port !== null) return `${bare}:${action.port}`;
  // Envoy drops a default port that no longer fits the scheme.
  const port = host.slice(bare.length + 1);
  return action.scheme !== "" && Object.values(DEFAULT_PORTS).includes(port) && DEFAULT_PORTS[scheme] !== port
    ? bare
    : host;
}
