import type { HeaderMutation } from "../decision.ts";
import { ProtoReader } from "../envoy/proto-reader.ts";
import type { HeaderLine } from "../http-request.ts";
import type { HeaderChange, ProviderAnswer, ProviderDenial, RequestChange } from "./provider-answer.ts";
import { isQueryText, isRemovable, requestHeaderSafety, responseHeaderSafety } from "./safe-headers.ts";

// Tags: field number << 3 | wire type, as in envoy/service/auth/v3/external_auth.proto.
const RESPONSE = { status: 10, denied: 18, ok: 26, metadata: 34, error: 42 };
const STATUS = { code: 8 };
const DENIED = { status: 10, headers: 18, body: 26 };
const OK = { headers: 18, metadata: 26, remove: 42, responseHeaders: 50, setParams: 58, removeParams: 66 };
const OPTION = { header: 10, append: 18, action: 24, keepEmpty: 32 };
const HEADER = { key: 10, value: 18, rawValue: 26 };
const INT = { code: 8 };

/** Envoy's status for an answer with an illegal header. */
const INVALID_ANSWER = 500;
const DEFAULT_DENIAL = 403;

/**
 * Reads a provider's CheckResponse as Envoy's filter does. As the protocol has it, code 0 allows, also where it is left out and in an
 * empty message; any other code denies, or, with an `error_response`, says that the provider failed.
 * @throws ProtoError when the bytes are no CheckResponse
 */
export function readCheckResponse(bytes: Uint8Array): ProviderAnswer {
  const found: Found = { code: 0, http: null, metadata: null };
  const reader = new ProtoReader(bytes);
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === RESPONSE.status) reader.message((status) => readStatus(status, found));
    else if (tag === RESPONSE.denied) found.http = { kind: "deny", bytes: reader.bytes() };
    else if (tag === RESPONSE.ok) found.http = { kind: "allow", bytes: reader.bytes() };
    else if (tag === RESPONSE.error) found.http = { kind: "error", bytes: reader.bytes() };
    else if (tag === RESPONSE.metadata) found.metadata = reader.bytes();
    else reader.skip(tag);
  }
  const { code, http } = found;
  if (code === 0) return readAllow(http?.kind === "allow" ? http.bytes : NOTHING, found.metadata);
  if (http?.kind === "error") {
    const answer = http.bytes.length === 0 ? null : readDenial(http.bytes, 0);
    return { kind: "failed", message: "the provider answered with an error", answer };
  }
  return readDenial(http?.kind === "deny" ? http.bytes : NOTHING, DEFAULT_DENIAL);
}

const NOTHING = new Uint8Array();

interface Found {
  code: number;
  http: { readonly kind: "deny" | "allow" | "error"; readonly bytes: Uint8Array } | null;
  metadata: Uint8Array | null;
}

function readStatus(reader: ProtoReader, found: Found): void {
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === STATUS.code) found.code = reader.uint32();
    else reader.skip(tag);
  }
}

/** DeniedHttpResponse; an error response has the same fields. @param defaultStatus 0: without a status there is none */
function readDenial(bytes: Uint8Array, defaultStatus: number): ProviderDenial {
  let status = defaultStatus;
  let body: Uint8Array = NOTHING;
  const headers: HeaderLine[] = [];
  const reader = new ProtoReader(bytes);
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === DENIED.status) status = reader.bytesAs(readHttpStatus);
    else if (tag === DENIED.headers) headers.push(reader.bytesAs(readOption));
    else if (tag === DENIED.body) body = reader.bytes();
    else reader.skip(tag);
  }
  return {
    kind: "deny",
    status: finalStatus(status, defaultStatus),
    // An illegal header never turns a denial into something else; it is only left out.
    headers: headers.filter(({ name, value }) => responseHeaderSafety(name, value) === "safe"),
    body: Buffer.from(body).toString("utf8"),
  };
}

function readHttpStatus(reader: ProtoReader): number {
  let code = 0;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === INT.code) code = reader.uint32();
    else reader.skip(tag);
  }
  return code;
}

function finalStatus(status: number, defaultStatus: number): number {
  if (status === 0) return defaultStatus;
  return status >= 200 && status <= 599 ? status : DEFAULT_DENIAL;
}

interface HeaderOption extends HeaderLine {
  readonly append: boolean | null;
  readonly action: number;
  readonly keepEmpty: boolean;
}

function readOption(reader: ProtoReader): HeaderOption {
  let header: HeaderLine = { name: "", value: "" };
  let append: boolean | null = null;
  let action = 0;
  let keepEmpty = false;
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === OPTION.header) header = reader.bytesAs(readHeader);
    else if (tag === OPTION.append)
      append = reader.bytesAs(readHttpStatus) !== 0; // BoolValue: a number in field 1
    else if (tag === OPTION.action) action = reader.uint32();
    else if (tag === OPTION.keepEmpty) keepEmpty = reader.uint32() !== 0;
    else reader.skip(tag);
  }
  return { ...header, append, action, keepEmpty };
}

function readHeader(reader: ProtoReader): HeaderLine {
  let name = "";
  let value = "";
  let rawValue = "";
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === HEADER.key) name = reader.text().toLowerCase();
    else if (tag === HEADER.value) value = reader.text();
    else if (tag === HEADER.rawValue) rawValue = reader.text();
    else reader.skip(tag);
  }
  return { name: name === "host" ? ":authority" : name, value: value === "" ? rawValue : value };
}

function readParam(reader: ProtoReader): HeaderLine {
  let name = "";
  let value = "";
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === HEADER.key) name = reader.text();
    else if (tag === HEADER.value) value = reader.text();
    else reader.skip(tag);
  }
  return { name, value };
}

function readAllow(bytes: Uint8Array, outerMetadata: Uint8Array | null): ProviderAnswer {
  const headers: HeaderOption[] = [];
  const responseHeaders: HeaderOption[] = [];
  const last: RequestChange[] = [];
  let metadata = outerMetadata;
  const reader = new ProtoReader(bytes);
  for (let tag = reader.nextTag(); tag !== 0; tag = reader.nextTag()) {
    if (tag === OK.headers) headers.push(reader.bytesAs(readOption));
    else if (tag === OK.metadata) metadata = reader.bytes();
    else if (tag === OK.responseHeaders) responseHeaders.push(reader.bytesAs(readOption));
    else if (tag === OK.remove) last.push({ kind: "removeHeader", name: reader.text().toLowerCase() });
    else if (tag === OK.setParams) last.push({ kind: "setParam", ...reader.bytesAs(readParam) });
    else if (tag === OK.removeParams) last.push({ kind: "removeParam", name: reader.text() });
    else reader.skip(tag);
  }
  const changes = [...inEnvoysOrder(headers), ...last.filter(isUsable).toSorted(byKind)];
  const illegal = illegalChange(changes) ?? illegalResponseHeader(responseHeaders);
  if (illegal !== undefined) return { kind: "refused", message: illegal, status: INVALID_ANSWER };
  return { kind: "allow", changes, responseHeaders: toResponseHeaders(responseHeaders), metadata };
}

// Envoy changes headers first, then removes some, then edits the query: what is set, then what is removed.
const ORDER: readonly RequestChange["kind"][] = ["removeHeader", "setParam", "removeParam"];

function byKind(a: RequestChange, b: RequestChange): number {
  return ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind);
}

function isUsable(change: RequestChange): boolean {
  return change.kind !== "removeHeader" || isRemovable(change.name);
}

const HEADER_ORDER: readonly HeaderChange[] = ["set", "add", "addIfAbsent", "setIfPresent", "append"];
const ACTIONS: readonly HeaderChange[] = ["add", "addIfAbsent", "set", "setIfPresent"];

function inEnvoysOrder(options: readonly HeaderOption[]): readonly RequestChange[] {
  const changes = options
    .filter(({ value, keepEmpty }) => value !== "" || keepEmpty)
    .map(({ name, value, append, action }) => ({ kind: "header", how: howOf(append, action), name, value }) as const)
    .filter(({ name, value }) => requestHeaderSafety(name, value) !== "ignored");
  return changes.toSorted((a, b) => HEADER_ORDER.indexOf(a.how) - HEADER_ORDER.indexOf(b.how));
}

/** The old field `append` wins where it is given. An action that nobody knows overwrites: the provider's value counts alone. */
function howOf(append: boolean | null, action: number): HeaderChange {
  if (append !== null) return append ? "append" : "set";
  return ACTIONS[action] ?? "set";
}

function illegalChange(changes: readonly RequestChange[]): string | undefined {
  for (const change of changes) {
    if (change.kind === "header" && requestHeaderSafety(change.name, change.value) === "illegal") {
      return "the answer sets an illegal request header";
    }
    if (change.kind === "setParam" && !(isQueryText(change.name) && isQueryText(change.value))) {
      return "the answer sets an illegal query parameter";
    }
  }
  return undefined;
}

function illegalResponseHeader(options: readonly HeaderOption[]): string | undefined {
  const isIllegal = options.some(({ name, value }) => responseHeaderSafety(name, value) === "illegal");
  return isIllegal ? "the answer sets an illegal response header" : undefined;
}

function toResponseHeaders(options: readonly HeaderOption[]): readonly HeaderMutation[] {
  return options
    .filter(({ name, value, keepEmpty }) => (value !== "" || keepEmpty) && responseHeaderSafety(name, value) === "safe")
    .map(({ name, value, append, action }) => {
      const how = howOf(append, action);
      return { name, value, append: how === "add" || how === "append" || how === "addIfAbsent" };
    });
}
