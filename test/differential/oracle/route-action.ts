import type { DestinationSpec, HeaderOperationsSpec, HttpMatchSpec, HttpRouteSpec, RedirectSpec } from "./spec.ts";
import type { Config } from "./string-matcher.ts";

/** Action and header operations of one route. */
export function routeAction(route: HttpRouteSpec, match: HttpMatchSpec): Config {
  const operations = {
    ...added("request", route.headers?.request),
    ...added("response", route.headers?.response),
  };
  if (route.redirect !== undefined) return { redirect: redirect(route.redirect), ...operations };
  if (route.directResponse !== undefined) {
    const { status, body } = route.directResponse;
    return { direct_response: { status, body: { inline_string: body.string } }, ...operations };
  }
  const [destination] = route.route ?? [];
  if (destination === undefined) throw new Error("a route without action");
  return {
    route: { cluster: clusterName(destination.destination), timeout: "0s", ...rewrite(route, match) },
    ...operations,
  };
}

function clusterName({ host, port, subset }: DestinationSpec): string {
  return `${host}:${port.number}${subset === undefined ? "" : `/${subset}`}`;
}

const CODES: Readonly<Record<number, string>> = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
};

function redirect({ uri, authority, scheme, port, redirectCode = 301 }: RedirectSpec): Config {
  // The gateways of the generator speak plain HTTP. Istio leaves out the port that the scheme implies.
  const isImplied = port === (scheme === "https" ? 443 : 80);
  return {
    ...(scheme === undefined ? {} : { scheme_redirect: scheme }),
    ...(port === undefined || isImplied ? {} : { port_redirect: port }),
    ...(uri === undefined ? {} : { path_redirect: uri }),
    ...(authority === undefined ? {} : { host_redirect: authority }),
    response_code: CODES[redirectCode],
  };
}

function rewrite({ rewrite: change }: HttpRouteSpec, match: HttpMatchSpec): Config {
  if (change === undefined) return {};
  if (change.uri !== undefined && match.uri?.regex !== undefined) throw new Error("rewrite of a regex match");
  return {
    ...(change.uri === undefined ? {} : { prefix_rewrite: change.uri }),
    ...(change.authority === undefined ? {} : { host_rewrite_literal: change.authority }),
  };
}

function added(where: "request" | "response", operations: HeaderOperationsSpec | undefined): Config {
  if (operations === undefined) return {};
  const lines = (headers: Readonly<Record<string, string>> | undefined, append_action: string): readonly Config[] =>
    Object.entries(headers ?? {}).map(([key, value]) => ({ header: { key, value }, append_action }));
  return {
    [`${where}_headers_to_add`]: [
      ...lines(operations.add, "APPEND_IF_EXISTS_OR_ADD"),
      ...lines(operations.set, "OVERWRITE_IF_EXISTS_OR_ADD"),
    ],
    [`${where}_headers_to_remove`]: operations.remove ?? [],
  };
}
