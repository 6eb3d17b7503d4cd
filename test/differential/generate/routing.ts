import type { HttpMatchSpec, HttpRouteSpec, RedirectSpec, StringMatchSpec } from "../oracle/spec.ts";
import { type PolicyObject, SERVICES } from "../policy-set.ts";
import type { Random } from "../random.ts";
import { CLAIM_PATHS, HEADER_VALUES, PLAIN_PATHS, ROLES, SERVED_HOSTS } from "./vocabulary.ts";

/** A Gateway that serves all hosts, and one to three VirtualServices. */
export function makeRouting(random: Random): readonly PolicyObject[] {
  const services = Array.from(
    { length: random.pick([1, 1, 2, 3]) },
    (_, index): PolicyObject => ({
      apiVersion: "networking.istio.io/v1",
      kind: "VirtualService",
      metadata: { name: `routes-${index}`, namespace: "foo" },
      spec: {
        hosts: disjoint(random.chance(0.4) ? ["*"] : random.some(SERVED_HOSTS, 1, 2)),
        gateways: ["gateway"],
        http: Array.from({ length: 1 + random.int(4) }, () => makeRoute(random)),
      },
    }),
  );
  const gateway: PolicyObject = {
    apiVersion: "networking.istio.io/v1",
    kind: "Gateway",
    metadata: { name: "gateway", namespace: "foo" },
    spec: {
      selector: { set: "foo" },
      servers: [{ port: { number: 80, name: "http", protocol: "HTTP" }, hosts: ["*"] }],
    },
  };
  return [gateway, ...services];
}

/** Validation refuses a VirtualService one of whose hosts covers another. */
function disjoint(hosts: readonly string[]): readonly string[] {
  const isCovered = (host: string): boolean =>
    hosts.some((other) => other !== host && other.startsWith("*") && host.endsWith(other.slice(1)));
  return hosts.filter((host) => !isCovered(host));
}

function makeRoute(random: Random): HttpRouteSpec {
  const matches = random.chance(0.15) ? [] : Array.from({ length: random.pick([1, 1, 2]) }, () => makeMatch(random));
  const canRewriteUri = matches.length > 0 && matches.every(({ uri }) => uri?.regex === undefined);
  const match = matches.length > 0 ? { match: matches } : {};
  const headers = random.chance(0.2) ? { headers: headerOperations(random) } : {};
  const cors = random.chance(0.2) ? { corsPolicy: corsPolicy(random) } : {};
  const kind = random.weighted([
    [12, "route"],
    [2, "redirect"],
    [1, "direct"],
  ]);
  if (kind === "direct") {
    return {
      ...match,
      ...headers,
      ...cors,
      directResponse: { status: random.pick([200, 418, 503]), body: { string: "direct" } },
    };
  }
  if (kind === "redirect") return { ...match, ...headers, ...cors, redirect: redirect(random) };
  const uri = canRewriteUri && random.chance(0.6) ? { uri: random.pick(["/", "/new", "/new/"]) } : {};
  const rewrite = random.chance(0.15) ? { rewrite: { ...uri, authority: "inside.example.com" } } : {};
  const fault = random.chance(0.06) ? { fault: abort(random) } : {};
  return { ...match, ...headers, ...rewrite, ...cors, ...fault, route: [{ destination: destination(random) }] };
}

function redirect(random: Random): RedirectSpec {
  return {
    ...(random.chance(0.7) ? { uri: "/moved" } : {}),
    ...(random.chance(0.5) ? { authority: "new.example.com" } : {}),
    ...(random.chance(0.5) ? { redirectCode: random.pick([301, 302, 303, 307, 308]) } : {}),
    ...(random.chance(0.3) ? { scheme: random.pick(["http", "https"]) } : {}),
    ...(random.chance(0.3) ? { port: random.pick([80, 443, 8443]) } : {}),
  };
}

function destination(random: Random): { host: string; port: { number: number }; subset?: string } {
  const [, host = "", port = "", subset] = /^(.+):(\d+)(?:\/(.+))?$/.exec(random.pick(SERVICES)) ?? [];
  return { host, port: { number: Number(port) }, ...(subset === undefined ? {} : { subset }) };
}

function makeMatch(random: Random): HttpMatchSpec {
  const uri = random.chance(0.6) ? { uri: uriMatch(random) } : {};
  const ignoreUriCase = random.chance(0.1) ? { ignoreUriCase: true } : {};
  const headers = matchesOf(random, 0.55);
  const withoutHeaders = matchesOf(random, 0.25);
  return {
    ...uri,
    ...ignoreUriCase,
    ...(headers === undefined ? {} : { headers }),
    ...(withoutHeaders === undefined ? {} : { withoutHeaders }),
    ...(random.chance(0.1) ? { method: random.pick([{ exact: "GET" }, { prefix: "P" }, { regex: "GET|HEAD" }]) } : {}),
    ...(random.chance(0.1) ? { authority: random.pick([{ exact: "httpbin.example.com" }, { prefix: "api." }]) } : {}),
    ...(random.chance(0.05) ? { scheme: random.pick([{ exact: "http" }, { exact: "https" }]) } : {}),
    ...(random.chance(0.15) ? { queryParams: { [random.pick(["q", "debug"])]: valueMatch(random) } } : {}),
  };
}

function uriMatch(random: Random): StringMatchSpec {
  return random.weighted([
    [4, { prefix: random.pick(PLAIN_PATHS) }],
    [3, { exact: random.pick(PLAIN_PATHS) }],
    [2, { regex: random.pick([".*", "/api/v\\d+/.*", "/(admin|headers)/?", "/.*\\.txt", "(?i)/ADMIN.*", "/[^/]+"]) }],
  ]);
}

/** Claims and headers under their keys; undefined most of the time. */
function matchesOf(random: Random, probability: number): Record<string, StringMatchSpec> | undefined {
  if (!random.chance(probability)) return undefined;
  const entries = Array.from({ length: random.pick([1, 1, 2]) }, (): readonly [string, StringMatchSpec] => {
    if (random.chance(0.65)) return [claimKey(random), roleMatch(random)];
    return [random.pick(["x-a", "x-role", "X-Jwt-Sub", "user-agent"]), valueMatch(random)];
  });
  return Object.fromEntries(entries);
}

function claimKey(random: Random): string {
  const path = random.pick(CLAIM_PATHS);
  const prefix = random.chance(0.85) ? "@request.auth.claims" : "@Request.Auth.Claims";
  const isDotted = random.chance(0.5) && path.every((name) => !name.includes("."));
  return prefix + (isDotted ? `.${path.join(".")}` : path.map((name) => `[${name}]`).join(""));
}

function roleMatch(random: Random): StringMatchSpec {
  return random.weighted<StringMatchSpec>([
    [4, { exact: random.pick(ROLES) }],
    [2, { prefix: random.pick(["adm", "u", "d"]) }],
    [2, { regex: random.pick([".+", ".*min", "(?i)admin", "admin|dev", "ü.*"]) }],
  ]);
}

function valueMatch(random: Random): StringMatchSpec {
  return random.weighted<StringMatchSpec>([
    [3, { exact: random.pick(HEADER_VALUES.filter((value) => value !== "")) }],
    [2, { prefix: random.pick(["a", "adm", "curl"]) }],
    [2, { regex: random.pick([".*", "[0-9]+", "admin.*"]) }],
    [1, {}],
  ]);
}

function headerOperations(random: Random): NonNullable<HttpRouteSpec["headers"]> {
  const operations = {
    ...(random.chance(0.6) ? { set: { "x-set": "s", "x-a": "from-route" } } : {}),
    ...(random.chance(0.4) ? { add: { "x-added": "1", "x-role": "added" } } : {}),
  };
  const request = random.chance(0.4) ? { ...operations, remove: ["x-b", "user-agent"] } : operations;
  return {
    request,
    ...(random.chance(0.5) ? { response: { set: { "x-upstream": "route" }, add: { "x-more": "m" } } } : {}),
  };
}

function corsPolicy(random: Random): NonNullable<HttpRouteSpec["corsPolicy"]> {
  return {
    allowOrigins: random.some(
      [
        { exact: "https://app.example.com" },
        { prefix: "https://dev" },
        { regex: "https://[a-z]+\\.test" },
        { exact: "*" },
      ],
      1,
      2,
    ),
    ...(random.chance(0.7) ? { allowMethods: ["GET", "POST"] } : {}),
    ...(random.chance(0.5) ? { allowHeaders: ["authorization", "x-a"] } : {}),
    ...(random.chance(0.5) ? { exposeHeaders: ["x-b"] } : {}),
    ...(random.chance(0.5) ? { maxAge: "3600s" } : {}),
    ...(random.chance(0.5) ? { allowCredentials: random.chance(0.7) } : {}),
    ...(random.chance(0.3) ? { unmatchedPreflights: random.pick(["FORWARD", "IGNORE"]) } : {}),
  };
}

function abort(random: Random): NonNullable<HttpRouteSpec["fault"]> {
  const percentage = random.chance(0.8) ? { percentage: { value: random.pick([0, 100, 100]) } } : {};
  return { abort: { httpStatus: random.pick([418, 503]), ...percentage } };
}
