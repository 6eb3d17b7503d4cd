import type { JwtRuleSpec } from "./oracle/spec.ts";
import type { Lines, Observation, PolicySet, TestRequest } from "./policy-set.ts";

/** What the rules know of a request. */
export interface DeliberateContext {
  readonly set: PolicySet;
  readonly request: TestRequest;
  /** The target that Envoy's normalisation ends at, where once is not enough; null: once is enough. */
  readonly stablePath: string | null;
}

/**
 * One deliberate difference. `request` makes the request that the oracle gets in place of the original, the others change what was
 * observed before it is compared. Further rows are kept by the oracle's compiler: path-template, presence-required, key-use.
 */
export interface DeliberateRule {
  /** Id in docs/differences.md. */
  readonly row: string;
  readonly request?: (request: TestRequest, context: DeliberateContext) => TestRequest;
  readonly oracle?: (observed: Observation, context: DeliberateContext) => Observation;
  readonly both?: (observed: Observation, context: DeliberateContext) => Observation;
}

export const DELIBERATE: readonly DeliberateRule[] = [
  {
    row: "stable-path",
    request: (request, { stablePath }) => (stablePath === null ? request : { ...request, path: stablePath }),
  },
  {
    row: "spoofed-output",
    request: (request, { set }) => {
      const names = new Set(outputHeaders(set));
      return { ...request, headers: request.headers.filter(([name]) => !names.has(canonicalName(name))) };
    },
  },
  {
    row: "reserved-header",
    request: (request) => ({
      ...request,
      headers: request.headers.filter(([name]) => !canonicalName(name).startsWith("x-gatehouse-")),
    }),
  },
  {
    row: "challenge-realm",
    oracle: (observed) =>
      withHeader(observed, "www-authenticate", (value) => value.replace(/\?.*?"(, error="invalid_token")?$/, '"$1')),
  },
  {
    row: "denied-response-headers",
    oracle: (observed) => {
      if (observed.upstream !== null || observed.status !== 400) return observed;
      const { "x-more": _, "x-upstream": __, ...headers } = observed.headers;
      return { ...observed, headers };
    },
  },
  {
    row: "query-token-removal",
    both: (observed, { set, request }) => {
      const names = tokenParams(set);
      const query = request.path.split("#")[0]?.split("?").slice(1).join("?") ?? "";
      if (!query.split("&").some((pair) => names.has(decode(pair.split("=")[0] ?? "")))) return observed;
      const moved = withHeader(observed, "location", sortedQuery);
      if (moved.upstream === null) return moved;
      return { ...moved, upstream: { ...moved.upstream, path: sortedQuery(moved.upstream.path) } };
    },
  },
  {
    row: "joined-headers",
    both: (observed) => {
      if (observed.upstream === null) return observed;
      const joined = Object.entries(observed.upstream.headers).map(([name, values]) => [
        name,
        [values.join(",").split(",").map(withSortedMembers).join(",")],
      ]);
      return { ...observed, upstream: { ...observed.upstream, headers: Object.fromEntries(joined) } };
    },
  },
];

/** Not a difference: Envoy writes the members of a claim that is an object in no fixed order. */
function withSortedMembers(value: string): string {
  const text = Buffer.from(value, "base64").toString("utf8");
  if (!text.startsWith("{") && !text.startsWith("[")) return value;
  try {
    return JSON.stringify(JSON.parse(text), (_, member) => sorted(member));
  } catch {
    return value; // no JSON: compared as it is
  }
}

function sorted(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The request that the oracle gets; tokens are replaced by their twins. */
export function requestForOracle(context: DeliberateContext): TestRequest {
  const request = DELIBERATE.reduce((changed, rule) => rule.request?.(changed, context) ?? changed, context.request);
  const twin = (text: string): string =>
    context.set.twins.reduce((changed, { text: token, judgedAs }) => changed.replaceAll(token, judgedAs), text);
  return {
    ...request,
    path: twin(request.path),
    headers: request.headers.map(([name, value]) => [name, twin(value)] as const),
  };
}

/** What the oracle answered, as Gatehouse must have answered it. */
export function normaliseOracle(observed: Observation, context: DeliberateContext): Observation {
  const untwinned: Observation = JSON.parse(
    context.set.twins.reduce((text, twin) => text.replaceAll(twin.judgedAs, twin.text), JSON.stringify(observed)),
  );
  const changed = DELIBERATE.reduce((before, rule) => rule.oracle?.(before, context) ?? before, untwinned);
  return normaliseBoth(changed, context);
}

export function normaliseGatehouse(observed: Observation, context: DeliberateContext): Observation {
  return normaliseBoth(observed, context);
}

function normaliseBoth(observed: Observation, context: DeliberateContext): Observation {
  return DELIBERATE.reduce((before, rule) => rule.both?.(before, context) ?? before, observed);
}

function jwtRules(set: PolicySet): readonly JwtRuleSpec[] {
  return set.objects
    .filter(({ kind }) => kind === "RequestAuthentication")
    .flatMap(({ spec }): readonly JwtRuleSpec[] => JSON.parse(JSON.stringify(spec["jwtRules"] ?? [])));
}

function outputHeaders(set: PolicySet): readonly string[] {
  return jwtRules(set)
    .flatMap(({ outputPayloadToHeader = "", outputClaimToHeaders = [] }) => [
      outputPayloadToHeader,
      ...outputClaimToHeaders.map(({ header }) => header),
    ])
    .map(canonicalName);
}

/** To many an upstream `_` reads like `-`. */
function canonicalName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}

function tokenParams(set: PolicySet): ReadonlySet<string> {
  const usesDefaults = (rule: JwtRuleSpec): boolean =>
    [rule.fromHeaders, rule.fromParams, rule.fromCookies].every((places) => (places ?? []).length === 0);
  return new Set(jwtRules(set).flatMap((rule) => (usesDefaults(rule) ? ["access_token"] : (rule.fromParams ?? []))));
}

function sortedQuery(target: string): string {
  const at = target.indexOf("?");
  if (at < 0) return target;
  // Envoy decodes without encoding again, so `a=b%26c` is two pairs afterwards; `flag` becomes `flag=`, and an empty pair `=`.
  const pairs = decode(target.slice(at + 1)).split("&");
  const sorted = pairs.map((pair) => (pair.includes("=") ? pair : `${pair}=`)).sort();
  return `${target.slice(0, at)}?${sorted.filter((pair) => pair !== "=").join("&")}`.replace(/\?$/, "");
}

function decode(text: string): string {
  return text.replace(/%([0-9a-fA-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function withHeader(observed: Observation, name: string, change: (value: string) => string): Observation {
  const values = observed.headers[name];
  if (values === undefined) return observed;
  const headers: Lines = { ...observed.headers, [name]: values.map(change) };
  return { ...observed, headers };
}
