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
  const edited = new Map<string, string | null>();
  const currentValue = (name: string): string | undefined => {
    const value = edited.get(name);
    return value === undefined ? valueIn(changed.request.headers, name) : (value ?? undefined);
  };
  let newPath = path;
  for (const change of allow.changes) {
    if (change.kind === "removeHeader") edited.set(change.name, null);
    else if (change.kind !== "header") newPath = changeQuery(newPath, change);
    else {
      const value = newValue(change, currentValue(change.name));
      if (value !== undefined && change.name === ":path") newPath = value;
      else if (value !== undefined) edited.set(change.name, value);
    }
  }
  if (newPath !== path) edited.set(":path", newPath);
  return {
    request: withHeaders(changed.request, edited, allow.metadata),
    headers: new Map([...changed.headers, ...edited]),
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

/** The whole new value, or undefined where nothing changes. */
function newValue({ how, name, value }: SetHeader, before: string | undefined): string | undefined {
  switch (how) {
    case "set":
      return value;
    case "add":
      return before === undefined || name.startsWith(":") ? value : joined(name, before, value);
    case "append":
      return before === undefined || name.startsWith(":") ? undefined : joined(name, before, value);
    case "addIfAbsent":
      return before === undefined ? value : undefined;
    case "setIfPresent":
      return before === undefined ? undefined : value;
  }
}

function joined(name: string, before: string, value: string): string {
  return `${before}${name === "cookie" ? "; " : ","}${value}`;
}

function valueIn(headers: readonly HeaderLine[], name: string): string | undefined {
  const values = headers.filter((line) => line.name === name).map(({ value }) => value);
  return values.length === 0 ? undefined : values.join(name === "cookie" ? "; " : ",");
}

function withHeaders(
  request: HttpRequest,
  edited: ReadonlyMap<string, string | null>,
  metadata: Uint8Array | null,
): HttpRequest {
  const kept = request.headers.filter(({ name }) => !edited.has(name));
  const added = [...edited].flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
  return {
    ...request,
    method: edited.get(":method") ?? request.method,
    path: edited.get(":path") ?? request.path,
    host: edited.get(":authority") ?? request.host,
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
