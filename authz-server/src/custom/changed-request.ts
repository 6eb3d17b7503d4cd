import type { Decision, HeaderMutation } from "../decision.ts";
import { filterMetadata } from "../envoy/filter-metadata.ts";
import { field, toBytes } from "../envoy/proto-writer.ts";
import type { HeaderLine, HttpRequest } from "../http-request.ts";
import type { ProviderAllow, RequestChange } from "./provider-answer.ts";
import { changeQuery } from "./query.ts";

/** A request with what providers have changed on it so far. */
export interface ChangedRequest {
  /** As later steps see it. */
  readonly request: HttpRequest;
  /** What Envoy must be told; null: the header goes. Names in lower case, values whole. */
  readonly headers: ReadonlyMap<string, string | null>;
  readonly responseHeaders: readonly HeaderMutation[];
}

/** Nothing is changed yet. */
export function unchanged(request: HttpRequest): ChangedRequest {
  return { request, headers: new Map(), responseHeaders: [] };
}

/**
 * Makes the changes of one provider. @param path as normalised, with query: what the provider was asked about
 */
export function applyAllow(changed: ChangedRequest, allow: ProviderAllow, path: string): ChangedRequest {
  const edited = new Map<string, readonly string[]>();
  const linesOf = (name: string): readonly string[] => edited.get(name) ?? linesIn(changed.request.headers, name);
  let newPath = path;
  for (const change of allow.changes) {
    if (change.kind === "removeHeader") edited.set(change.name, []);
    else if (change.kind !== "header") newPath = changeQuery(newPath, change);
    else {
      const lines = newLines(change, linesOf(change.name));
      if (lines === undefined) continue;
      if (change.name === ":path") newPath = lines[0] ?? newPath;
      else edited.set(change.name, lines);
    }
  }
  if (newPath !== path) edited.set(":path", [newPath]);
  const whole = Array.from(edited, ([name, lines]) => [name, lines.length === 0 ? null : joined(name, lines)] as const);
  return {
    request: withHeaders(changed.request, edited, allow.metadata),
    headers: new Map([...changed.headers, ...whole]),
    responseHeaders: [...changed.responseHeaders, ...allow.responseHeaders],
  };
}

/**
 * Puts what providers changed together with a decision about the changed request. What later steps set or remove counts: they saw what
 * the providers had made of it. Envoy adds response headers of an external authorizer to every answer.
 */
export function withChanges(decision: Decision, { headers, responseHeaders }: ChangedRequest): Decision {
  if (decision.kind === "respond") {
    if (responseHeaders.length === 0) return decision;
    return {
      ...decision,
      headers: [...decision.headers, ...responseHeaders.map(({ name, value }) => ({ name, value }))],
    };
  }
  if (headers.size + responseHeaders.length === 0) return decision;
  const later = new Map<string, string | null>([
    ...decision.removeHeaders.map((name) => [name, null] as const),
    ...decision.setHeaders.map(({ name, value }) => [name, value] as const),
  ]);
  const all = [...new Map([...headers, ...later])];
  return {
    kind: "allow",
    setHeaders: all.flatMap(([name, value]) => (value === null ? [] : [{ name, value }])),
    removeHeaders: all.flatMap(([name, value]) => (value === null ? [name] : [])),
    responseHeaders: [...responseHeaders, ...decision.responseHeaders],
  };
}

type SetHeader = Extract<RequestChange, { readonly kind: "header" }>;

/**
 * The lines of a header after a change, or undefined where nothing changes. Envoy's filter appends to the first line, and adds a line
 * behind the others. Policies look at each line: none of the client's may be hidden in another.
 */
function newLines({ how, name, value }: SetHeader, before: readonly string[]): readonly string[] | undefined {
  const [first, ...others] = before;
  const isOneLine = name.startsWith(":");
  switch (how) {
    case "set":
      return [value];
    case "add":
      if (isOneLine) return [value];
      return IN_ONE_LINE.has(name) && first !== undefined ? [joined(name, [...before, value])] : [...before, value];
    case "append":
      return first === undefined || isOneLine ? undefined : [joined(name, [first, value]), ...others];
    case "addIfAbsent":
      return first === undefined ? [value] : undefined;
    case "setIfPresent":
      return first === undefined ? undefined : [value];
  }
}

/** Of these Envoy never keeps more than one line. */
const IN_ONE_LINE: ReadonlySet<string> = new Set(["authorization", "cookie"]);

function joined(name: string, lines: readonly string[]): string {
  return lines.join(name === "cookie" ? "; " : ",");
}

function linesIn(headers: readonly HeaderLine[], name: string): readonly string[] {
  return headers.filter((line) => line.name === name).map(({ value }) => value);
}

function withHeaders(
  request: HttpRequest,
  edited: ReadonlyMap<string, readonly string[]>,
  metadata: Uint8Array | null,
): HttpRequest {
  const kept = request.headers.filter(({ name }) => !edited.has(name));
  const added = [...edited].flatMap(([name, lines]) => lines.map((value) => ({ name, value })));
  return {
    ...request,
    received: request.received ?? request,
    method: edited.get(":method")?.[0] ?? request.method,
    path: edited.get(":path")?.[0] ?? request.path,
    host: edited.get(":authority")?.[0] ?? request.host,
    headers: edited.size === 0 ? request.headers : [...kept, ...added],
    filterMetadata: metadata === null ? request.filterMetadata : withMetadata(request, metadata),
  };
}

/** The namespace in which Envoy keeps what an external authorizer says, also in Istio. */
const METADATA_NAMESPACE = "envoy.filters.http.ext_authz";

function withMetadata(request: HttpRequest, struct: Uint8Array): HttpRequest["filterMetadata"] {
  // envoy.config.core.v3.Metadata with one entry of filter_metadata.
  const entry = field(1, METADATA_NAMESPACE) + field(2, Buffer.from(struct).toString("latin1"));
  const context = toBytes(field(1, entry));
  return (filter, key) => {
    if (filter !== METADATA_NAMESPACE) return request.filterMetadata(filter, key);
    return filterMetadata([context], filter, key) ?? request.filterMetadata(filter, key);
  };
}
