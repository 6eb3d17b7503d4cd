import type { HeaderLine } from "../../support/raw-http.ts";
import type { JwtRuleSpec } from "../oracle/spec.ts";
import type { TestRequest } from "../policy-set.ts";
import type { Random } from "../random.ts";
import {
  FORWARDED_FOR,
  HEADER_NAMES,
  HEADER_VALUES,
  HOSTS,
  METHODS,
  ODD_HOSTS,
  ODD_PATHS,
  PLAIN_PATHS,
  PORTS,
  SOURCE_IPS,
} from "./vocabulary.ts";

/** One request, most likely with a token at a place where a rule looks for one. */
export function makeRequest(random: Random, rules: readonly JwtRuleSpec[], tokens: readonly string[]): TestRequest {
  const headers: HeaderLine[] = [];
  const query: string[] = random
    .some(["x=1", "q=1", "flag", "q=admin", "a=b%26c", "debug=", "x=a+b", "=z"], 0, 2)
    .slice();
  for (let count = random.pick([0, 1, 1, 1, 1, 2]); count > 0; count--) {
    placeToken(random, random.pick(tokens), rules, { headers, query });
  }
  const isPreflight = random.chance(0.07);
  const method = isPreflight ? "OPTIONS" : random.chance(0.6) ? "GET" : random.pick(METHODS);
  headers.push(...otherHeaders(random, isPreflight));
  const path = random.pick(random.chance(0.35) ? ODD_PATHS : PLAIN_PATHS);
  return {
    method,
    authority: random.pick(random.chance(0.15) ? ODD_HOSTS : HOSTS),
    path: withQuery(path, query),
    headers: withoutOddJoin(headers),
    sourceIp: random.pick(random.chance(0.5) ? ["127.0.0.1"] : SOURCE_IPS),
    port: random.pick(random.chance(0.7) ? [8080] : PORTS),
  };
}

// Envoy joins lines of Authorization by a comma. With empty parts in the tokens it cuts the whole elsewhere than Gatehouse, to which
// one token has one text (docs/differences.md canonical-base64): the words of the refusal differ.
function withoutOddJoin(headers: readonly HeaderLine[]): readonly HeaderLine[] {
  const isAuthorization = ([name]: HeaderLine): boolean => name.toLowerCase() === "authorization";
  const first = headers.find(isAuthorization);
  const hasEmptyPart = headers.some((line) => isAuthorization(line) && line[1].includes(".."));
  return hasEmptyPart ? headers.filter((line) => !isAuthorization(line) || line === first) : headers;
}

function withQuery(path: string, query: readonly string[]): string {
  if (query.length === 0) return path;
  const [head = "", fragment] = path.split("#");
  return `${head}${head.includes("?") ? "&" : "?"}${query.join("&")}${fragment === undefined ? "" : `#${fragment}`}`;
}

interface Places {
  readonly headers: HeaderLine[];
  readonly query: string[];
}

function placeToken(random: Random, token: string, rules: readonly JwtRuleSpec[], { headers, query }: Places): void {
  const rule = rules.length > 0 && random.chance(0.85) ? random.pick(rules) : undefined;
  const places: (() => void)[] = [];
  for (const { name, prefix } of rule?.fromHeaders ?? [])
    places.push(() => headers.push([name, `${prefix ?? ""}${token}`]));
  for (const name of rule?.fromParams ?? []) places.push(() => addParam(query, name, token));
  for (const name of rule?.fromCookies ?? []) {
    const value = random.chance(0.2) ? `"${token}"` : token;
    places.push(() =>
      headers.push(["Cookie", random.pick([`${name}=${value}`, `a=b; ${name}=${value}`, `${name} = ${value};a=b`])]),
    );
  }
  if (places.length > 0) {
    random.pick(places)();
    return;
  }
  if (random.chance(0.15)) {
    addParam(query, "access_token", token);
    return;
  }
  headers.push([random.pick(["Authorization", "authorization"]), authorization(random, token)]);
}

// docs/differences.md repeated-query-token: a parameter is never there twice.
function addParam(query: string[], name: string, token: string): void {
  if (!query.some((pair) => pair.startsWith(`${name}=`))) query.push(`${name}=${token}`);
}

function authorization(random: Random, token: string): string {
  return random.weighted([
    [12, `Bearer ${token}`],
    [1, `bearer ${token}`],
    [1, `Bearer  ${token}`],
    [1, `Basic Bearer ${token}`],
    [1, "Basic dXNlcjpwYXNz"],
    [1, "Bearer"],
    [1, "Bearer !!!"],
    [1, `Bearer ${token} !`],
    [1, token],
  ]);
}

function otherHeaders(random: Random, isPreflight: boolean): readonly HeaderLine[] {
  const lines: HeaderLine[] = [];
  for (let count = random.pick([0, 0, 1, 2, 3]); count > 0; count--) {
    lines.push([random.pick(HEADER_NAMES), random.pick(HEADER_VALUES)]);
  }
  if (isPreflight || random.chance(0.1)) {
    lines.push([
      "Origin",
      random.pick(["https://app.example.com", "https://dev.x", "https://evil.example", "https://q.test"]),
    ]);
  }
  if (isPreflight && random.chance(0.85)) lines.push(["Access-Control-Request-Method", random.pick(["GET", "PUT"])]);
  if (random.chance(0.2)) lines.push(["X-Forwarded-For", random.pick(FORWARDED_FOR)]);
  if (random.chance(0.05)) lines.push(["x-forwarded-for", random.pick(FORWARDED_FOR)]);
  if (random.chance(0.04)) lines.push(["X-Forwarded-Proto", random.pick(["https", "http"])]);
  if (random.chance(0.08)) lines.push(["Cookie", "a=b"]);
  if (random.chance(0.06)) lines.push(spoofed(random));
  return lines;
}

/** Headers that a client must not choose. */
function spoofed(random: Random): HeaderLine {
  return random.pick<HeaderLine>([
    ["x-jwt-payload", "e30"],
    ["x_jwt_sub", "admin"],
    ["X-Jwt-Role", "admin"],
    ["x-gatehouse-cluster", "admin.foo.svc.cluster.local:8000"],
    ["x-gatehouse-route", "foo/routes-0/0"],
    ["x-envoy-original-path", "/spoofed"],
    ["x-original-url", "/admin"],
  ]);
}
