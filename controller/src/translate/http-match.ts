import type { HttpMatch, QueryParamMatch, StringMatch } from "@gatehouse/protos";
import type { HTTPMatchRequest, StringMatch as StringMatchSpec } from "../resources/gen/types.ts";
import { resolveGateway } from "./gateway-name.ts";
import { type MatchPlace, translateHeaders } from "./http-headers.ts";
import { translateStringMatch } from "./http-string-match.ts";
import { toLabels } from "./labels.ts";
import type { Findings } from "./report.ts";

/**
 * Translates one entry of `match`.
 * @param namespace of the VirtualService
 * @returns null when a part of it can't be translated: it must not match more than was meant
 */
export function translateHttpMatch(
  spec: HTTPMatchRequest,
  place: MatchPlace,
  namespace: string,
  findings: Findings,
): HttpMatch | null {
  const uri = translatePart(spec.uri, "uri", place, findings);
  const scheme = translatePart(spec.scheme, "scheme", place, findings);
  const method = translatePart(spec.method, "method", place, findings);
  const authority = translatePart(spec.authority, "authority", place, findings);
  const headers = translateHeaders(spec.headers, "headers", place, findings);
  const withoutHeaders = translateHeaders(spec.withoutHeaders, "withoutHeaders", place, findings);
  const queryParams = translateQueryParams(spec.queryParams, place, findings);
  checkRest(spec, place.path, findings);
  if (uri === BROKEN || scheme === BROKEN || method === BROKEN || authority === BROKEN) return null;
  if (headers === null || withoutHeaders === null || queryParams === null) return null;
  return {
    name: spec.name ?? "",
    uri,
    ignoreUriCase: spec.ignoreUriCase ?? false,
    scheme,
    method,
    authority,
    headers: headers.headers,
    withoutHeaders: withoutHeaders.headers,
    claims: headers.claims,
    withoutClaims: withoutHeaders.claims,
    queryParams,
    port: spec.port ?? 0,
    gateways: (spec.gateways ?? []).map((gateway) => resolveGateway(gateway, namespace)),
    sourceLabels: toLabels(spec.sourceLabels),
    sourceNamespace: spec.sourceNamespace ?? "",
  };
}

const BROKEN = "broken";

/** @returns null when nothing is asked for: such a part is always there */
function translatePart(
  spec: StringMatchSpec | undefined,
  field: "uri" | "scheme" | "method" | "authority",
  { path, regexes }: MatchPlace,
  findings: Findings,
): StringMatch | null | typeof BROKEN {
  if (spec == null) return null;
  const rules = { allowsEmptyPrefix: field === "uri", star: "invalid" } as const;
  const { value, problem } = translateStringMatch(spec, field, rules, regexes);
  if (problem !== null) findings.invalid(`${path}.${field}`, problem);
  if (value === null) return BROKEN;
  return value.kind === "present" ? null : value;
}

function translateQueryParams(
  map: Readonly<Record<string, StringMatchSpec>> | undefined,
  { path, regexes }: MatchPlace,
  findings: Findings,
): readonly QueryParamMatch[] | null {
  const matches: QueryParamMatch[] = [];
  let isBroken = false;
  for (const [name, spec] of Object.entries(map ?? {})) {
    const rules = { allowsEmptyPrefix: false, star: "refusedPresence" } as const;
    const { value, problem } = translateStringMatch(spec, "queryParams", rules, regexes);
    if (problem !== null) findings.invalid(`${path}.queryParams[${name}]`, problem);
    if (value === null) isBroken = true;
    else matches.push({ name, match: value });
  }
  return isBroken ? null : matches;
}

function checkRest(spec: HTTPMatchRequest, path: string, findings: Findings): void {
  const { sourceNamespace, statPrefix } = spec;
  if (sourceNamespace && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(sourceNamespace)) {
    findings.invalid(`${path}.sourceNamespace`, `sourceNamespace match ${sourceNamespace} is invalid`);
  }
  if (statPrefix) findings.unsupported(`${path}.statPrefix`, "statPrefix has no effect: statistics are Envoy's");
}
