import type { Allow, Decision, HeaderMutation, Respond } from "../decision.ts";
import type { HeaderLine } from "../http-request.ts";
import { field, intField, toBytes } from "./proto-writer.ts";

/** gRPC codes. In Envoy 0, also a missing or mistyped code, means allow: nothing but this file writes a CheckResponse. */
const OK = 0;
const PERMISSION_DENIED = 7;
const UNAUTHENTICATED = 16;

/** google.rpc.Status in CheckResponse, with code 0 written out. */
const OK_STATUS = field(1, intField(1, OK));

const OVERWRITE_IF_EXISTS_OR_ADD = 2;

/** The answer to most requests: allow, nothing changed. */
const PLAIN_ALLOW = toBytes(OK_STATUS + field(3, ""));

/**
 * Encodes a decision as envoy.service.auth.v3.CheckResponse.
 * @throws Error for what Envoy would refuse or misread: a header with control characters, a status outside 200-599
 */
export function encodeCheckResponse(decision: Decision): Uint8Array {
  return decision.kind === "allow" ? encodeAllow(decision) : encodeRespond(decision);
}

function encodeAllow({ setHeaders, removeHeaders, responseHeaders }: Allow): Uint8Array {
  const changes = setHeaders.length + removeHeaders.length + responseHeaders.length;
  if (changes === 0) return PLAIN_ALLOW;
  const [removed] = removeHeaders;
  if (changes === 1 && removed !== undefined) return encodeRemoval(removed);
  const okResponse =
    setHeaders.map((header) => field(2, overwrite(header))).join("") +
    removeHeaders.map((name) => field(5, checked(name))).join("") +
    responseHeaders.map((header) => field(6, responseOption(header))).join("");
  return toBytes(OK_STATUS + field(3, okResponse));
}

/** A token is taken away: the next answer in number. The names are those of policy, and few that clients make up. */
const removals = new Map<string, Uint8Array>();
const MAX_REMOVALS = 64;

function encodeRemoval(name: string): Uint8Array {
  const known = removals.get(name);
  if (known !== undefined) return known;
  const message = toBytes(OK_STATUS + field(3, field(5, checked(name))));
  if (removals.size < MAX_REMOVALS) removals.set(name, message);
  return message;
}

/** Answers without headers say one of few things, so they are encoded once. */
const plainResponds = new Map<string, Uint8Array>();
const MAX_PLAIN_RESPONDS = 64;
const MAX_PLAIN_BODY = 256;

function encodeRespond(answer: Respond): Uint8Array {
  const { status, headers, body } = answer;
  if (headers.length > 0 || body.length > MAX_PLAIN_BODY) return toMessage(answer);
  const key = `${status} ${body}`;
  const known = plainResponds.get(key);
  if (known !== undefined) return known;
  const message = toMessage(answer);
  if (plainResponds.size < MAX_PLAIN_RESPONDS) plainResponds.set(key, message);
  return message;
}

function toMessage({ status, headers, body }: Respond): Uint8Array {
  if (!(status >= 200 && status <= 599)) throw new Error(`status ${status} is outside 200-599`);
  const code = status === 401 ? UNAUTHENTICATED : PERMISSION_DENIED;
  const deniedResponse =
    field(1, intField(1, status)) +
    headers.map((header) => field(2, overwrite(header))).join("") +
    (body === "" ? "" : field(3, toUtf8(body)));
  return toBytes(field(1, intField(1, code)) + field(2, deniedResponse));
}

/** HeaderValueOption that overwrites; said in the old way and the new one, since versions of Envoy differ in the default. */
function overwrite({ name, value }: HeaderLine): string {
  return headerValue(name, value) + field(2, "") + intField(3, OVERWRITE_IF_EXISTS_OR_ADD) + intField(4, 1);
}

/** HeaderValueOption of a response header; without an action it adds a line. */
function responseOption({ name, value, append }: HeaderMutation): string {
  return append ? headerValue(name, value) : overwrite({ name, value });
}

function headerValue(name: string, value: string): string {
  return field(1, field(1, checked(name)) + field(2, checked(value)));
}

function checked(text: string): string {
  if (/[\x00-\x08\x0a-\x1f\x7f]|[^\x00-\xff]/.test(text)) throw new Error("a header would hold a control character");
  return text;
}

function toUtf8(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
