import type { TokenLocation } from "@gatehouse/protos";
import type { HeaderLine } from "../http-request.ts";

/** Istio's default locations, used when a rule names none. */
const DEFAULT_LOCATIONS: readonly TokenLocation[] = [
  { kind: "header", name: "authorization", prefix: "Bearer " },
  { kind: "param", name: "access_token" },
];

const KIND_ORDER = { header: 0, param: 1, cookie: 2 } as const;

/** The locations of a rule in Envoy's order of collection: headers, parameters, cookies, each sorted by name. */
export function orderedLocations(locations: readonly TokenLocation[]): readonly TokenLocation[] {
  const all = locations.length === 0 ? DEFAULT_LOCATIONS : locations;
  return all.toSorted((a, b) => KIND_ORDER[a.kind] - KIND_ORDER[b.kind] || compare(sortKey(a), sortKey(b)));
}

/**
 * The tokens that stand at one location, in order of arrival.
 * @param query the text between `?` and `#` of the path, undecoded
 */
export function tokensAt(location: TokenLocation, headers: readonly HeaderLine[], query: string): readonly string[] {
  switch (location.kind) {
    case "header":
      return headerTokens(headers, location.name, location.prefix);
    case "param":
      return paramTokens(query, location.name);
    case "cookie":
      return cookieTokens(headers, location.name);
  }
}

/** A query string without the pairs of some names; the rest stays byte for byte in order. */
export function withoutParams(query: string, names: ReadonlySet<string>): string {
  return query
    .split("&")
    .filter((pair) => !names.has(decodePercent(splitPair(pair)[0])))
    .join("&");
}

function headerTokens(headers: readonly HeaderLine[], name: string, prefix: string): readonly string[] {
  const tokens: string[] = [];
  for (const line of headers) {
    if (line.name !== name) continue;
    const token = prefix === "" ? line.value : tokenAfterPrefix(line.value, prefix);
    if (token !== undefined) tokens.push(token);
  }
  return tokens;
}

const TOKEN_START = /[A-Za-z0-9\-_.]/g;

// As Envoy's extractor: the prefix may stand anywhere, what lies between it and the first token character is skipped, and all
// the rest is the token. Without any token character the whole value is taken, and fails as a token.
function tokenAfterPrefix(value: string, prefix: string): string | undefined {
  const at = value.indexOf(prefix);
  if (at < 0) return undefined;
  TOKEN_START.lastIndex = at + prefix.length;
  const start = TOKEN_START.exec(value);
  return start === null ? value : value.slice(start.index);
}

function paramTokens(query: string, name: string): readonly string[] {
  const tokens: string[] = [];
  if (query === "") return tokens;
  for (const pair of query.split("&")) {
    const [key, value] = splitPair(pair);
    if (decodePercent(key) === name) tokens.push(decodePercent(value));
  }
  return tokens;
}

function cookieTokens(headers: readonly HeaderLine[], name: string): readonly string[] {
  for (const line of headers) {
    if (line.name !== "cookie") continue;
    for (const pair of line.value.split(";")) {
      const [key, value] = splitPair(pair.trim());
      if (key === name && pair.includes("=")) return [unquote(value)];
    }
  }
  return [];
}

function splitPair(pair: string): readonly [string, string] {
  const at = pair.indexOf("=");
  return at < 0 ? [pair, ""] : [pair.slice(0, at), pair.slice(at + 1)];
}

function unquote(value: string): string {
  return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function sortKey(location: TokenLocation): string {
  return location.kind === "header" ? location.name + location.prefix : location.name;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
