import type { PolicyRef, RouteAction } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import type { Respond } from "../decision.ts";
import { toByteString } from "../http-request.ts";
import { changeHeaders, type HeaderChanges } from "./header-operations.ts";

/** Where a request arrived. */
export interface ServerPort {
  /** Of the Gateway's server. */
  readonly port: number;
}

/** Makes the answer of a `redirect`. */
export type Redirector = (request: RequestAttributes, server: ServerPort) => Respond;

/** Prepares a `redirect`, with Envoy's way to put the location together. */
export function prepareRedirect(
  action: Extract<RouteAction, { kind: "redirect" }>,
  changes: HeaderChanges,
  ref: PolicyRef,
): Redirector {
  const uri = toByteString(action.uri);
  const authority = toByteString(action.authority);
  return (attributes, server) => {
    const { request } = attributes;
    const scheme = action.scheme === "" ? request.scheme : action.scheme;
    const port = portText(action, scheme, server);
    const host = authority === "" ? requestHost(request.host, request.scheme, scheme, port) : authority;
    const location = `${scheme}://${host}${port}${pathOf(uri, attributes)}`;
    return answer(action.code, location, changes, ref);
  };
}

/** The answer of a Gateway server with `httpsRedirect` to a plain request. */
export function httpsRedirect({ request, path, query }: RequestAttributes): Respond {
  return answer(301, `https://${request.host}${path}${query}`, NO_CHANGES, null);
}

const NO_CHANGES: HeaderChanges = { set: [], remove: [] };

function answer(status: number, location: string, changes: HeaderChanges, ref: PolicyRef | null): Respond {
  const headers = changeHeaders([{ name: "location", value: location }], changes);
  return { kind: "respond", status, headers, body: "", reason: "route_response", ref };
}

/** `:port`, or empty. Istio leaves out a port that the scheme implies. */
function portText(action: Extract<RouteAction, { kind: "redirect" }>, scheme: string, server: ServerPort): string {
  const derived = action.derivePort === "FROM_REQUEST_PORT" ? server.port : null;
  const port = action.port ?? derived;
  return port === null || port === DEFAULT_PORTS.get(scheme) ? "" : `:${port}`;
}

const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ["http", 80],
  ["https", 443],
]);

/** Envoy drops the request's port where another one is written, and the default port of a scheme that is left. */
function requestHost(host: string, requestScheme: string, scheme: string, port: string): string {
  const at = host.startsWith("[") ? host.lastIndexOf("]:") + 1 : host.lastIndexOf(":");
  if (at <= 0) return host;
  const isLeftDefault = requestScheme !== scheme && host.slice(at + 1) === String(DEFAULT_PORTS.get(requestScheme));
  return port !== "" || isLeftDefault ? host.slice(0, at) : host;
}

/** A path without a query of its own keeps the query of the request. */
function pathOf(uri: string, { path, query }: RequestAttributes): string {
  if (uri === "") return path + query;
  const target = uri.startsWith("/") ? uri : `/${uri}`;
  return target.includes("?") ? target : target + query;
}
