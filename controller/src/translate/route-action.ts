import type { Destination, RouteAction } from "@gatehouse/protos";
import type { HTTPDirectResponse, HTTPRedirect, HTTPRoute, HTTPRouteDestination } from "../resources/gen/types.ts";
import { decodeBase64, decodeUtf8 } from "./base64.ts";
import { translateHeaderOperations } from "./header-operations.ts";
import { qualifyHost } from "./host-name.ts";
import type { Findings } from "./report.ts";

/** Names that short ones are completed with. */
export interface NameScope {
  readonly namespace: string;
  readonly dnsSuffix: string;
}

/** Translates what a route does. @returns null when it has no action that can be carried out */
export function translateAction(
  route: HTTPRoute,
  path: string,
  scope: NameScope,
  findings: Findings,
): RouteAction | null {
  if (route.redirect != null) return translateRedirect(route.redirect, `${path}.redirect`, findings);
  if (route.directResponse != null) {
    return translateDirectResponse(route.directResponse, `${path}.directResponse`, findings);
  }
  if (route.delegate != null) {
    const name = route.delegate.name ?? "";
    return { kind: "delegate", namespace: route.delegate.namespace || scope.namespace, name };
  }
  return translateDestinations(route.route ?? [], `${path}.route`, scope, findings);
}

function translateDestinations(
  specs: readonly HTTPRouteDestination[],
  path: string,
  scope: NameScope,
  findings: Findings,
): RouteAction | null {
  if (specs.length === 0) return null; // said by the check of the whole route
  const written = specs.map((spec, i) => translateDestination(spec, `${path}[${i}]`, scope, findings));
  // The only destination gets everything, whatever its weight.
  const [only, ...others] = written;
  const destinations = others.length === 0 && only?.weight === 0 ? [{ ...only, weight: 100 }] : written;
  const isUsable = destinations.every((destination) => destination.host !== "" && destination.weight >= 0);
  const total = destinations.reduce((sum, destination) => sum + destination.weight, 0);
  if (isUsable && total === 0) findings.invalid(path, "total destination weight = 0");
  return isUsable && total > 0 ? { kind: "route", destinations } : null;
}

function translateDestination(
  spec: HTTPRouteDestination,
  path: string,
  scope: NameScope,
  findings: Findings,
): Destination {
  const { host, port, subset } = spec.destination;
  if (host === "") findings.invalid(`${path}.destination.host`, "destination host must be set");
  const weight = spec.weight ?? 0;
  if (weight < 0) findings.invalid(`${path}.weight`, `weight ${weight} < 0`);
  return {
    host: qualifyHost(host, scope.namespace, scope.dnsSuffix),
    port: port?.number ?? 0,
    subset: subset ?? "",
    weight,
    ...translateHeaderOperations(spec.headers, `${path}.headers`, findings),
  };
}

function translateRedirect(spec: HTTPRedirect, path: string, findings: Findings): RouteAction | null {
  const code = spec.redirectCode || 301;
  const messages = [
    [301, 302, 303, 307, 308].includes(code)
      ? ""
      : `redirectCode ${code} is not supported, use 301, 302, 303, 307 or 308`,
    ["", "http", "https"].includes(spec.scheme ?? "") ? "" : `invalid redirect scheme, must be one of http, https`,
    spec.port === undefined || (spec.port >= 1 && spec.port <= 65_535)
      ? ""
      : `port number ${spec.port} must be in the range 1..65535`,
    hasControls(spec.uri) || hasControls(spec.authority) ? "redirect must not hold blanks or control characters" : "",
  ].filter((message) => message !== "");
  for (const message of messages) findings.invalid(path, message);
  if (messages.length > 0) return null;
  return {
    kind: "redirect",
    uri: spec.uri ?? "",
    authority: spec.authority ?? "",
    scheme: spec.scheme ?? "",
    port: spec.port ?? null,
    derivePort: spec.derivePort ?? "FROM_PROTOCOL_DEFAULT",
    code,
  };
}

function hasControls(text: string | undefined): boolean {
  return [...(text ?? "")].some((character) => character <= " " || character === "\u007f");
}

const MAX_BODY_LENGTH = 1024 * 1024;

function translateDirectResponse(spec: HTTPDirectResponse, path: string, findings: Findings): RouteAction | null {
  if (spec.status < 200 || spec.status > 599) {
    findings.invalid(`${path}.status`, `HTTP status ${spec.status} is not in the range 200-599`);
    return null;
  }
  const { string = "", bytes } = spec.body ?? {};
  const decoded = bytes === undefined ? null : decodeBase64(bytes);
  const body = bytes === undefined || bytes === "" ? string : decoded === null ? null : decodeUtf8(decoded);
  if (body === null)
    findings.unsupported(`${path}.body.bytes`, "only base64 of UTF-8 text can be sent: the body is empty");
  if ((body ?? "").length > MAX_BODY_LENGTH) {
    findings.invalid(`${path}.body`, "direct response body must not exceed 1 MiB");
    return null;
  }
  return { kind: "directResponse", status: spec.status, body: body ?? "" };
}
