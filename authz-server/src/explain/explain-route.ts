import { type HeaderMatch, type HttpMatch, NO_CONDITIONS } from "@gatehouse/protos";
import type { RequestAttributes } from "../authz/attributes.ts";
import type { Decision } from "../decision.ts";
import { asciiLowerCase, firstHeader } from "../http-request.ts";
import type { WorkloadPolicy } from "../policy/workload-policy.ts";
import { compileHttpMatch } from "../routing/http-match.ts";
import { CLUSTER_HEADER, ROUTE_HEADER } from "../routing/prepared-action.ts";
import type { PreparedRoute } from "../routing/prepared-route.ts";
import { virtualHostOf } from "../routing/route.ts";
import { actualClaim, actualHeader, bytes } from "./actual-value.ts";
import { fromByteString } from "./byte-text.ts";
import { headerMatchText, matchText } from "./expected-texts.ts";
import type { ActualValue, ConditionExplanation, RouteCandidate, RouteExplanation } from "./explanation.ts";
import type { Redactor } from "./redactor.ts";

const NOTHING: RouteExplanation = {
  outcome: "notReached",
  host: null,
  knownHosts: [],
  chosen: null,
  destination: null,
  candidates: [],
};

/** Explains which route a request took, or why none of them. @param attributes null: the request was answered before */
export function explainRoute(
  policy: WorkloadPolicy,
  attributes: RequestAttributes | null,
  decision: Decision,
  redactor: Redactor,
): RouteExplanation {
  if (!policy.isGateway) return { ...NOTHING, outcome: "notAGateway" };
  const table = attributes && policy.routesAt(attributes.request.destination.port);
  if (attributes === null || table === null) return NOTHING;
  const { request } = attributes;
  const virtualHost = virtualHostOf(table, request.host, policy.mesh);
  if (virtualHost === undefined) {
    return { ...NOTHING, outcome: "unknownHost", knownHosts: [...table.virtualHosts.keys()] };
  }
  const host = hostOf(virtualHost, table.virtualHosts);
  if (virtualHost.httpsRedirect && asciiLowerCase(request.scheme) !== "https") {
    return { ...NOTHING, outcome: "httpsRedirect", host };
  }
  const at = virtualHost.routes.findIndex((route) => route.matches(attributes));
  const tried = at < 0 ? virtualHost.routes : virtualHost.routes.slice(0, at + 1);
  return {
    outcome: at < 0 ? "noRoute" : "chosen",
    host,
    knownHosts: [],
    chosen: virtualHost.routes[at]?.id ?? null,
    destination: destinationOf(decision),
    candidates: tried.map((route) => explainCandidate(route, attributes, redactor)),
  };
}

function hostOf<Host>(host: Host, hosts: ReadonlyMap<string, Host>): string | null {
  return [...hosts].find(([, candidate]) => candidate === host)?.[0] ?? null;
}

function destinationOf(decision: Decision): string | null {
  if (decision.kind !== "allow") return null;
  const { setHeaders } = decision;
  const value = firstHeader(setHeaders, CLUSTER_HEADER) ?? firstHeader(setHeaders, ROUTE_HEADER);
  return value === undefined ? null : fromByteString(value);
}

function explainCandidate(route: PreparedRoute, attributes: RequestAttributes, redactor: Redactor): RouteCandidate {
  const { match } = route;
  const at = match === null ? -1 : route.route.match.indexOf(match);
  return {
    id: route.id,
    virtualService: route.ref,
    route: route.route.index,
    match: at < 0 ? null : at,
    matches: route.matches(attributes),
    conditions: match === null ? [] : explainMatch(match, attributes, redactor),
  };
}

/** Each condition of a match is compiled as a match of its own: they are AND-ed, so the parts say all that the whole says. */
function explainMatch(
  match: HttpMatch,
  attributes: RequestAttributes,
  redactor: Redactor,
): readonly ConditionExplanation[] {
  const { request } = attributes;
  const { ignoreUriCase } = match;
  const part = (
    field: string,
    only: Partial<HttpMatch>,
    expected: string,
    actual: ActualValue,
  ): ConditionExplanation => ({
    field,
    holds: compileHttpMatch({ ...NO_CONDITIONS, ...only })(attributes),
    expected: /^without/.test(field) ? { anyOf: [], noneOf: [expected] } : { anyOf: [expected], noneOf: [] },
    actual,
  });
  const optional = (field: "scheme" | "method" | "authority", value: string): readonly ConditionExplanation[] => {
    const wanted = match[field];
    return wanted === null ? [] : [part(field, { [field]: wanted }, matchText(wanted), bytes(value, redactor))];
  };
  const header = (name: string): ActualValue => actualHeader(name, attributes, redactor);
  const headerText = ({ name, match: wanted }: HeaderMatch): string => headerMatchText(name, wanted, redactor);
  const claim = (path: readonly string[]): ActualValue => actualClaim(path, attributes.claims, redactor);
  return [
    ...(match.uri === null
      ? []
      : [part("uri", { uri: match.uri, ignoreUriCase }, matchText(match.uri), bytes(attributes.path, redactor))]),
    ...optional("method", request.method),
    ...optional("scheme", request.scheme),
    ...optional("authority", request.host),
    ...match.headers.map((one) => part(`headers[${one.name}]`, { headers: [one] }, headerText(one), header(one.name))),
    ...match.withoutHeaders.map((one) =>
      part(`withoutHeaders[${one.name}]`, { withoutHeaders: [one] }, headerText(one), header(one.name)),
    ),
    ...match.claims.map((one) =>
      part(claimField("headers", one.path), { claims: [one] }, matchText(one.match), claim(one.path)),
    ),
    ...match.withoutClaims.map((one) =>
      part(claimField("withoutHeaders", one.path), { withoutClaims: [one] }, matchText(one.match), claim(one.path)),
    ),
    ...match.queryParams.map((one) =>
      part(
        `queryParams[${one.name}]`,
        { queryParams: [one] },
        matchText(one.match),
        actualParam(one.name, attributes.query, redactor),
      ),
    ),
  ];
}

function claimField(list: "headers" | "withoutHeaders", path: readonly string[]): string {
  const isDotted = path.every((name) => /^[^.[\]]+$/.test(name));
  const claim = isDotted ? `.${path.join(".")}` : path.map((name) => `[${name}]`).join("");
  return `${list}[@request.auth.claims${claim}]`;
}

function actualParam(name: string, query: string, redactor: Redactor): ActualValue {
  const pairs = query.slice(1).split("&");
  const pair = pairs.find((candidate) => candidate.split("=", 1)[0] === name);
  if (pair === undefined) return { values: [], note: "there is no such query parameter" };
  return { values: [redactor.param(name, fromByteString(pair.slice(name.length + 1)))], note: "" };
}
