import { routeAction } from "./route-action.ts";
import type { HttpMatchSpec, HttpRouteSpec, StringMatchSpec, VirtualServiceSpec } from "./spec.ts";
import { type Config, claimMatcher } from "./string-matcher.ts";

/** The route configuration that Istio makes for one plain-HTTP server of a gateway that serves all hosts. @param services oldest first */
export function gatewayRoutes(services: readonly VirtualServiceSpec[]): Config {
  const hosts = [...new Set(services.flatMap((service) => service.hosts.map((host) => host.toLowerCase())))];
  return {
    name: "gateway",
    ignore_port_in_host_matching: true,
    virtual_hosts: hosts.map((host) => ({
      name: host,
      domains: [host],
      routes: catchAllsLast(
        services.filter((service) => service.hosts.some((other) => other.toLowerCase() === host)).flatMap(reachable),
      ).map(({ config }) => config),
    })),
  };
}

interface Route {
  readonly isCatchAll: boolean;
  readonly config: Config;
}

/** Routes of one VirtualService in order, up to and with the first that catches everything. */
function reachable(service: VirtualServiceSpec): readonly Route[] {
  const routes = service.http.flatMap((route) =>
    (route.match?.length ? route.match : [{}]).map(
      (match): Route => ({
        isCatchAll: isCatchAll(match),
        config: { ...routeAction(route, match), match: routeMatch(match), ...filterConfig(route) },
      }),
    ),
  );
  const last = routes.findIndex((route) => route.isCatchAll);
  return last < 0 ? routes : routes.slice(0, last + 1);
}

/** Over all VirtualServices of a host, routes that catch everything come last. */
function catchAllsLast(routes: readonly Route[]): readonly Route[] {
  return [...routes.filter((route) => !route.isCatchAll), ...routes.filter((route) => route.isCatchAll)];
}

// Only headers, query parameters and claims make a `/` prefix more than a catch-all; method and authority are headers for Envoy.
function isCatchAll({ uri, ...others }: HttpMatchSpec): boolean {
  const { ignoreUriCase: _, ...conditions } = others;
  const isEverywhere = uri === undefined || uri.prefix === "/" || uri.regex === ".*";
  return isEverywhere && Object.values(conditions).every((condition) => Object.keys(condition).length === 0);
}

function routeMatch(match: HttpMatchSpec): Config {
  const { headers = {}, withoutHeaders = {}, queryParams = {} } = match;
  const claims = [
    ...Object.entries(headers).flatMap(([key, value]) => claimMatch(key, value, false)),
    ...Object.entries(withoutHeaders).flatMap(([key, value]) => claimMatch(key, value, true)),
  ];
  const headerMatches = [
    ...Object.entries(headers).flatMap(([key, value]) => (isClaim(key) ? [] : [headerMatch(key, value)])),
    ...Object.entries(withoutHeaders).flatMap(([key, value]) => (isClaim(key) ? [] : [withoutHeader(key, value)])),
    ...pseudoHeader(":method", match.method),
    ...pseudoHeader(":authority", match.authority),
    ...pseudoHeader(":scheme", match.scheme),
  ];
  return {
    ...pathMatch(match.uri),
    case_sensitive: match.ignoreUriCase !== true,
    headers: headerMatches,
    query_parameters: Object.entries(queryParams).map(([name, value]) =>
      isPresence(value) ? { name, present_match: true } : { name, string_match: stringMatch(value) },
    ),
    dynamic_metadata: claims,
  };
}

function pathMatch(uri: StringMatchSpec | undefined): Config {
  if (uri?.exact !== undefined) return { path: uri.exact };
  if (uri?.regex !== undefined) return { safe_regex: { regex: uri.regex } };
  return { prefix: uri?.prefix ?? "/" };
}

function isPresence(match: StringMatchSpec): boolean {
  return Object.keys(match).length === 0 || match.regex === "*";
}

function stringMatch(match: StringMatchSpec): Config {
  if (match.regex !== undefined) return { safe_regex: { regex: match.regex } };
  return match.prefix === undefined ? { exact: match.exact ?? "" } : { prefix: match.prefix };
}

function headerMatch(name: string, match: StringMatchSpec): Config {
  return isPresence(match) ? { name, present_match: true } : { name, string_match: stringMatch(match) };
}

/** A missing header counts as an empty text. */
function withoutHeader(name: string, match: StringMatchSpec): Config {
  const base = headerMatch(name, match);
  return { ...base, invert_match: true, ...(isPresence(match) ? {} : { treat_missing_header_as_empty: true }) };
}

function pseudoHeader(name: string, match: StringMatchSpec | undefined): readonly Config[] {
  return match === undefined ? [] : [headerMatch(name, match)];
}

const CLAIM_PREFIX = "@request.auth.claims";

function isClaim(key: string): boolean {
  return key.toLowerCase().startsWith(CLAIM_PREFIX);
}

/** `.a.b` or `[a][b]` behind the prefix. */
function claimMatch(key: string, match: StringMatchSpec, invert: boolean): readonly Config[] {
  if (!isClaim(key)) return [];
  const rest = key.slice(CLAIM_PREFIX.length);
  const path = rest.startsWith(".") ? rest.slice(1).split(".") : rest.slice(1, -1).split("][");
  return [claimMatcher(path, stringMatch(match), invert)];
}

function filterConfig({ corsPolicy, fault }: HttpRouteSpec): Config {
  return {
    typed_per_filter_config: {
      ...(corsPolicy === undefined ? {} : { "envoy.filters.http.cors": corsConfig(corsPolicy) }),
      ...(fault === undefined ? {} : { "envoy.filters.http.fault": faultConfig(fault) }),
    },
  };
}

function corsConfig(policy: NonNullable<HttpRouteSpec["corsPolicy"]>): Config {
  const { allowOrigins, allowMethods, allowHeaders, exposeHeaders, maxAge, allowCredentials } = policy;
  return {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy",
    allow_origin_string_match: allowOrigins.map(stringMatch),
    allow_methods: (allowMethods ?? []).join(","),
    allow_headers: (allowHeaders ?? []).join(","),
    expose_headers: (exposeHeaders ?? []).join(","),
    ...(maxAge === undefined ? {} : { max_age: String(Number.parseInt(maxAge, 10)) }),
    ...(allowCredentials === undefined ? {} : { allow_credentials: allowCredentials }),
    filter_enabled: { default_value: { numerator: 100 } },
    forward_not_matching_preflights: policy.unmatchedPreflights !== "IGNORE",
  };
}

/** Without a percentage nothing is aborted. */
function faultConfig({ abort }: NonNullable<HttpRouteSpec["fault"]>): Config {
  return {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault",
    abort: { http_status: abort.httpStatus, percentage: { numerator: abort.percentage?.value ?? 0 } },
  };
}
