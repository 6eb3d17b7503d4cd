import type { ClaimMatch, HeaderMatch, StringMatch } from "@gatehouse/protos";
import type { StringMatch as StringMatchSpec } from "../resources/gen/types.ts";
import { parseClaimHeaderKey } from "./claim-key.ts";
import { isHeaderName } from "./header-name.ts";
import { translateStringMatch } from "./http-string-match.ts";
import { broken, type Parsed, parsed } from "./parsed.ts";
import type { RegexChecks } from "./regex.ts";
import type { Findings } from "./report.ts";

const PSEUDO_HEADERS = [":method", ":scheme", ":authority", ":path", ":status"];

/** Header and claim conditions of one map; null when an entry can't be translated. */
export interface TranslatedHeaders {
  readonly headers: readonly HeaderMatch[];
  readonly claims: readonly ClaimMatch[];
}

/** Where a match stands, and at which gateways it is evaluated. */
export interface MatchPlace {
  /** `spec.http[0].match[0]` */
  readonly path: string;
  /** Of the VirtualService, as written; none means `mesh`. */
  readonly gateways: readonly string[];
  readonly regexes: RegexChecks;
}

/** Translates `headers` or `withoutHeaders`. */
export function translateHeaders(
  map: Readonly<Record<string, StringMatchSpec | null>> | undefined,
  field: "headers" | "withoutHeaders",
  place: MatchPlace,
  findings: Findings,
): TranslatedHeaders | null {
  const headers: HeaderMatch[] = [];
  const claims: ClaimMatch[] = [];
  let isBroken = false;
  for (const [key, spec] of Object.entries(map ?? {})) {
    const path = `${place.path}.${field}[${key}]`;
    const claim = parseClaimHeaderKey(key);
    const match =
      claim === null
        ? translateHeader({ key, spec }, field, place)
        : translateClaim({ key, claim, spec }, field, place);
    if (match.problem !== null) findings.invalid(path, match.problem);
    if (match.value === null) isBroken = true;
    else if (claim === null) headers.push({ name: key.toLowerCase(), match: match.value });
    else claims.push({ path: claim, match: match.value });
  }
  return isBroken ? null : { headers, claims };
}

function translateHeader(
  { key, spec }: { readonly key: string; readonly spec: StringMatchSpec | null },
  field: "headers" | "withoutHeaders",
  { regexes }: MatchPlace,
): Parsed<StringMatch> {
  if (key === "") return broken("header name cannot be empty");
  if (!PSEUDO_HEADERS.includes(key) && !isHeaderName(key))
    return broken(`header name ${key} is not a valid header name`);
  if (spec === null && field === "headers") return broken(`header match ${key} cannot be null`);
  const star = field === "headers" ? "refusedPresence" : "presence";
  return translateStringMatch(spec, field, { allowsEmptyPrefix: false, star }, regexes);
}

function translateClaim(
  entry: { readonly key: string; readonly claim: readonly string[]; readonly spec: StringMatchSpec | null },
  field: string,
  place: MatchPlace,
): Parsed<StringMatch> {
  const { key, claim, spec } = entry;
  if (claim.includes("")) return broken(`JWT claim key ${key} has an empty part`);
  const match = translateStringMatch(spec, field, { allowsEmptyPrefix: false, star: "invalid" }, place.regexes);
  if (match.value === null) return match;
  if (match.value.kind === "present") {
    const message = `"${field}": presence of a claim can't be matched (key: ${key}), use regex ".+"`;
    // Never matches, as in Istio; its negation would then hold for every request.
    return field === "headers" ? { value: match.value, problem: message } : broken(message);
  }
  if (place.gateways.length > 0 && !place.gateways.includes("mesh")) return parsed(match.value);
  const found = `found no gateways: [${place.gateways.join(" ")}]`;
  const problem = `JWT claim based routing (key: ${key}) is only supported for gateway, ${found}`;
  return { value: match.value, problem };
}
