import type { Condition } from "@gatehouse/protos";
import type { Claims } from "../authn/claims.ts";
import { isJsonList, isJsonObject, type JsonValue } from "../authn/json.ts";
import type { RequestAttributes } from "../authz/attributes.ts";
import { headerLineName } from "../http-request.ts";
import { fromByteString } from "./byte-text.ts";
import type { ActualValue } from "./explanation.ts";
import type { Redactor } from "./redactor.ts";

/** Stands where a claim would be. */
export const NO_TOKEN: ActualValue = { values: [], note: "there is no verified token" };

const MAX_VALUES = 20;

/** What a request has where a condition looks. */
export function actualValue(condition: Condition, attributes: RequestAttributes, redactor: Redactor): ActualValue {
  const { request } = attributes;
  switch (condition.attribute) {
    case "header":
      return actualHeader(condition.name, attributes, redactor);
    case "host":
      return bytes(request.host, redactor);
    case "method":
      return bytes(request.method, redactor);
    case "sni":
      return bytes(request.sni, redactor, "there is no TLS, or no server name in it");
    case "path":
      return bytes(attributes.path, redactor);
    case "sourceIp":
      return plain(request.source.address);
    case "remoteIp":
      return plain(attributes.remoteAddress);
    case "destinationIp":
      return plain(request.destination.address);
    case "destinationPort":
      return plain(String(request.destination.port));
    case "sourcePrincipal":
    case "sourceNamespace":
    case "sourceServiceAccount":
    case "sourceTrustDomain":
      return bytes(request.source.principal, redactor, "there is no client certificate");
    case "requestPrincipal":
      return actualPrincipal(attributes.claims, redactor);
    case "claim":
      return actualClaim(condition.path, attributes.claims, redactor);
    case "filterMetadata":
      return json(request.filterMetadata(condition.filter, condition.key), redactor, "there is no such metadata");
  }
}

/** The lines of a header, pseudo headers included. @param name in lower case */
export function actualHeader(written: string, attributes: RequestAttributes, redactor: Redactor): ActualValue {
  const name = headerLineName(written);
  const lines = attributes.headers.filter((line) => line.name === name);
  const values = lines.map(({ value }) => redactor.header(name, fromByteString(value)));
  if (values.length > 0) return { values: cut(values), note: "" };
  const isRemoved = attributes.removedHeaders.includes(name);
  return { values: [], note: isRemoved ? "it is sent, but removed before policies look" : "there is no such header" };
}

/** The claim at a path, as a condition would compare it. */
export function actualClaim(path: readonly string[], claims: Claims | null, redactor: Redactor): ActualValue {
  return claims === null ? NO_TOKEN : json(claims.at(path), redactor, "the token has no such claim");
}

/** A text of the request; empty stands for nothing. */
export function bytes(value: string, redactor: Redactor, noteIfEmpty = "it is empty"): ActualValue {
  return value === ""
    ? { values: [], note: noteIfEmpty }
    : { values: [redactor.text(fromByteString(value))], note: "" };
}

function plain(value: string): ActualValue {
  return { values: [value], note: "" };
}

function actualPrincipal(claims: Claims | null, redactor: Redactor): ActualValue {
  if (claims === null) return NO_TOKEN;
  const [iss, sub] = [claims.text("iss"), claims.text("sub")];
  if (iss !== undefined && sub !== undefined) return plain(redactor.text(`${iss}/${sub}`));
  return { values: [], note: `the token has no ${iss === undefined ? "iss" : "sub"} that is a text` };
}

function json(value: JsonValue | undefined, redactor: Redactor, noteIfMissing: string): ActualValue {
  if (value === undefined) return { values: [], note: noteIfMissing };
  if (typeof value === "string") return { values: [redactor.text(value)], note: "" };
  if (!isJsonList(value)) return { values: [], note: `it is ${kindOf(value)}, which never matches` };
  const texts = value.filter((element) => typeof element === "string").map((text) => redactor.text(text));
  if (value.length === 0) return { values: [], note: "it is an empty list" };
  return { values: cut(texts), note: texts.length < value.length ? "elements that are no texts never match" : "" };
}

function kindOf(value: JsonValue): string {
  if (value === null) return "null";
  if (isJsonObject(value)) return "an object";
  return typeof value === "number" ? `the number ${value}` : `the boolean ${String(value)}`;
}

function cut(values: readonly string[]): readonly string[] {
  const more = values.length - MAX_VALUES;
  return more > 0 ? [...values.slice(0, MAX_VALUES), `… ${more} more`] : values;
}
