import type { ClaimMatch, HeaderMatch, HttpMatch, QueryParamMatch, StringMatch } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import { asciiLowerCase, headerLineName, toByteString } from "../http-request.ts";
import { latest } from "../latest.ts";
import { compileOne, type TextTest } from "../policy/string-matcher.ts";

export type RouteTest = (request: RequestAttributes) => boolean;

/**
 * Compiles the conditions of one match entry that the request decides; port, gateways and source are decided when the routes are built.
 * @throws RE2JSException for a regular expression that is not RE2
 */
export function compileHttpMatch(match: HttpMatch): RouteTest {
  const tests: RouteTest[] = [
    ...compileUri(match.uri, match.ignoreUriCase),
    ...optional(match.method, ({ request }) => request.method),
    ...optional(match.scheme, ({ request }) => asciiLowerCase(request.scheme)),
    ...optional(match.authority, ({ request }) => request.host),
    ...match.headers.map(compileHeader),
    ...match.withoutHeaders.map(compileWithoutHeader),
    ...match.claims.map(compileClaim),
    ...match.withoutClaims.map((claim) => not(compileClaim(claim))),
    ...match.queryParams.map(compileQueryParam),
  ];
  return (request) => tests.every((test) => test(request));
}

/** A match that every request passes: the routes after it in the same VirtualService can never be reached. */
export function isCatchAll(match: HttpMatch): boolean {
  const isAnyUri =
    match.uri === null ||
    (match.uri.kind === "prefix" && match.uri.value === "/") ||
    (match.uri.kind === "regex" && match.uri.value === ".*");
  return (
    isAnyUri &&
    match.headers.length + match.withoutHeaders.length + match.claims.length + match.withoutClaims.length === 0 &&
    match.queryParams.length === 0 &&
    match.method === null &&
    match.scheme === null &&
    match.authority === null
  );
}

function compileUri(uri: StringMatch | null, ignoreCase: boolean): readonly RouteTest[] {
  if (uri === null) return [];
  if (uri.kind === "present") return [];
  if (!ignoreCase || uri.kind === "regex") {
    const test = compileOne(uri, toByteString);
    return [({ path }) => test(path)];
  }
  const test = compileOne(uri, (text) => asciiLowerCase(toByteString(text)));
  return [({ path }) => test(asciiLowerCase(path))];
}

function optional(match: StringMatch | null, read: (request: RequestAttributes) => string): readonly RouteTest[] {
  if (match === null) return [];
  const test = compileOne(match, toByteString);
  return [(request) => test(read(request))];
}

/** `present` is the presence of the header, even an empty one; otherwise one line that matches is enough. */
function compileHeader({ name: written, match }: HeaderMatch): RouteTest {
  const name = headerLineName(written);
  const test: TextTest = match.kind === "present" ? () => true : compileOne(match, toByteString);
  // The line that arrived has the path before it was normalised and freed from tokens.
  if (name === ":path") return ({ path, query }) => test(path + query);
  return ({ headers }) => headers.some((line) => line.name === name && test(line.value));
}

/** As in Envoy, a header that is missing counts as an empty one here. */
function compileWithoutHeader({ name: written, match }: HeaderMatch): RouteTest {
  const name = headerLineName(written);
  if (name === ":path") return not(compileHeader({ name, match }));
  if (match.kind === "present") return ({ headers }) => !headers.some((line) => line.name === name);
  const test = compileOne(match, toByteString);
  return ({ headers }) => {
    const lines = headers.filter((line) => line.name === name);
    return lines.length === 0 ? !test("") : !lines.some((line) => test(line.value));
  };
}

/** Presence of a claim cannot be asked for: Istio makes a matcher of it that no request meets. */
function compileClaim({ path, match }: ClaimMatch): RouteTest {
  if (match.kind === "present") return () => false;
  const test = compileOne(match, (text) => text);
  return ({ claims }) => claims?.matches(path, test) ?? false;
}

function compileQueryParam({ name, match }: QueryParamMatch): RouteTest {
  const rawName = toByteString(name);
  const test: TextTest = match.kind === "present" ? () => true : compileOne(match, toByteString);
  return ({ query }) => {
    const value = paramsOf(query).get(rawName);
    return value !== undefined && test(value);
  };
}

/** The first value of each parameter. */
function readParams(query: string): ReadonlyMap<string, string> {
  const params = new Map<string, string>();
  for (const pair of query === "" ? [] : query.slice(1).split("&")) {
    const at = pair.indexOf("=");
    const name = at < 0 ? pair : pair.slice(0, at);
    if (!params.has(name)) params.set(name, at < 0 ? "" : pair.slice(at + 1));
  }
  return params;
}

const paramsOf = latest(readParams);

function not(test: RouteTest): RouteTest {
  return (request) => !test(request);
}
