import type { ExtensionProvider } from "@gatehouse/protos";
import { ProtoReader } from "../envoy/proto-reader.ts";
import { field, toBytes } from "../envoy/proto-writer.ts";
import { firstHeader, type HttpRequest } from "../http-request.ts";
import type { ProviderRefusal } from "./provider-answer.ts";

/** What a provider is asked about, in the form in which Istio's Envoy tells it. Texts are byte strings of valid UTF-8. */
export interface Question {
  readonly kind: "question";
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly host: string;
  readonly scheme: string;
  /** One value a name, several lines joined; pseudo headers included. */
  readonly headers: ReadonlyMap<string, string>;
  /** Empty where the provider does not want it or there is none. */
  readonly body: Uint8Array;
  /** The CheckRequest that Envoy sent. */
  readonly message: Uint8Array;
}

// Tags of CheckRequest: field number << 3 | wire type.
const CHECK_REQUEST = { attributes: 10 };
const ATTRIBUTES = { request: 34 };
const REQUEST = { http: 18 };
const HTTP = { body: 90, rawBody: 98 };
// method, headers, path, host, scheme, body, raw_body, header_map: written anew.
const REWRITTEN: ReadonlySet<number> = new Set([18, 26, 34, 42, 50, HTTP.body, HTTP.rawBody, 106]);

const NOTHING = new Uint8Array();
const PARTIAL_BODY = "x-envoy-auth-partial-body";

/**
 * Makes the question of one provider.
 * @returns a refusal where the body can't be shown as the provider is to see it: it would judge another request
 */
export function toQuestion(request: HttpRequest, provider: ExtensionProvider): Question | ProviderRefusal {
  const headers = joinedHeaders(request);
  const message = request.message ?? NOTHING;
  const body = provider.maxRequestBytes === 0 ? NOTHING : bodyOf(message);
  if (provider.maxRequestBytes > 0 && body.length === 0 && announcesBody(request)) {
    const text = "the provider wants request bodies, but Envoy does not send them (with_request_body)";
    return { kind: "refused", message: text, status: provider.statusOnError };
  }
  const isTooLong = body.length > provider.maxRequestBytes;
  if (isTooLong && !provider.allowPartialMessage) {
    return { kind: "refused", message: "the request body is longer than maxRequestBytes", status: 413 };
  }
  if (provider.maxRequestBytes === 0) headers.delete(PARTIAL_BODY);
  else if (isTooLong) headers.set(PARTIAL_BODY, "true");
  return {
    kind: "question",
    method: request.method,
    path: utf8Only(request.path),
    host: utf8Only(request.host),
    scheme: utf8Only(request.scheme),
    headers,
    body: isTooLong ? body.subarray(0, provider.maxRequestBytes) : body,
    message,
  };
}

/**
 * The CheckRequest for a gRPC provider: Envoy's own bytes with the request in them as it is now. Headers are in the map `headers`, where
 * providers look for them: Envoy sends `header_map` to us, but not to providers in Istio.
 */
export function encodeQuestion(question: Question): Uint8Array {
  const parts: Parts = { message: "", attributes: "", request: "", http: "" };
  collect(new ProtoReader(question.message), 0, parts);
  const { body } = question;
  const http =
    parts.http +
    text(2, question.method) +
    Array.from(question.headers, ([name, value]) => field(3, field(1, name) + field(2, value))).join("") +
    text(4, question.path) +
    text(5, question.host) +
    text(6, question.scheme) +
    (body.length === 0 ? "" : bodyField(body));
  const request = parts.request + field(2, http);
  return toBytes(parts.message + field(1, parts.attributes + field(4, request)));
}

/** What stays of the message, level by level, as byte strings. */
interface Parts {
  message: string;
  attributes: string;
  request: string;
  http: string;
}

const LEVELS = [
  { name: "message", inner: CHECK_REQUEST.attributes },
  { name: "attributes", inner: ATTRIBUTES.request },
  { name: "request", inner: REQUEST.http },
  { name: "http", inner: -1 },
] as const;

function collect(reader: ProtoReader, depth: number, parts: Parts): void {
  const level = LEVELS[depth];
  if (level === undefined) return;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === level.inner) reader.message((inner) => collect(inner, depth + 1, parts));
    else if (level.name === "http" && REWRITTEN.has(tag)) reader.skip(tag);
    else parts[level.name] += reader.raw(tag).toString("latin1");
  }
}

function text(number: number, value: string): string {
  return value === "" ? "" : field(number, value);
}

/** `body` is a proto text and must be UTF-8; other bytes go into `raw_body`. */
function bodyField(body: Uint8Array): string {
  const bytes = Buffer.from(body).toString("latin1");
  return utf8Only(bytes) === bytes ? field(11, bytes) : field(12, bytes);
}

function bodyOf(message: Uint8Array): Uint8Array {
  let body: Uint8Array = NOTHING;
  const read = (reader: ProtoReader, depth: number): void => {
    const inner = LEVELS[depth]?.inner;
    for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
      if (tag === inner) reader.message((next) => read(next, depth + 1));
      else if (depth === 3 && (tag === HTTP.body || tag === HTTP.rawBody)) body = reader.bytes();
      else reader.skip(tag);
    }
  };
  read(new ProtoReader(message), 0);
  return body;
}

function announcesBody({ headers }: HttpRequest): boolean {
  const length = firstHeader(headers, "content-length") ?? "0";
  return length !== "0" || firstHeader(headers, "transfer-encoding") !== undefined;
}

function joinedHeaders({ headers }: HttpRequest): Map<string, string> {
  const joined = new Map<string, string>();
  for (const { name, value } of headers) {
    const before = joined.get(name);
    joined.set(name, before === undefined ? value : `${before}${name === "cookie" ? "; " : ","}${value}`);
  }
  for (const [name, value] of joined) joined.set(name, utf8Only(value));
  return joined;
}

const NOT_ASCII = /[\x80-\xff]/;
const UTF8_OR_BYTE =
  /[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g;

/** A proto text is UTF-8; Envoy puts `!` in place of every other byte. */
function utf8Only(bytes: string): string {
  if (!NOT_ASCII.test(bytes)) return bytes;
  return bytes.replace(UTF8_OR_BYTE, (sequence: string, bad: string | undefined) =>
    bad === undefined ? sequence : "!",
  );
}
