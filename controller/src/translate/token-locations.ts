import type { TokenLocation } from "@gatehouse/protos";
import type { JWTRule } from "../resources/gen/types.ts";
import type { Findings } from "./report.ts";

/**
 * Where a rule looks for tokens, as far as it can be used. Setting one of the lists disables the default locations, so a rule whose
 * entries are all broken must not come out as a rule without entries: the caller makes it a broken rule.
 */
export function translateLocations(rule: JWTRule, path: string, findings: Findings): readonly TokenLocation[] {
  const locations: TokenLocation[] = [];
  for (const [i, header] of (rule.fromHeaders ?? []).entries()) {
    const where = `${path}.fromHeaders[${i}]`;
    if (header == null) findings.invalid(where, "location header name must be non-null");
    else if (!header.name) findings.invalid(`${where}.name`, "location header name must be non-empty string");
    else locations.push({ kind: "header", name: header.name.toLowerCase(), prefix: header.prefix ?? "" });
  }
  for (const [i, name] of (rule.fromParams ?? []).entries()) {
    if (!name) findings.invalid(`${path}.fromParams[${i}]`, "location query must be non-empty string");
    else locations.push({ kind: "param", name });
  }
  for (const [i, name] of (rule.fromCookies ?? []).entries()) {
    if (!name) findings.invalid(`${path}.fromCookies[${i}]`, "cookie name must be non-empty string");
    else locations.push({ kind: "cookie", name });
  }
  return locations;
}

/** The number of locations as written, broken ones included. */
export function countLocations(rule: JWTRule): number {
  return (rule.fromHeaders?.length ?? 0) + (rule.fromParams?.length ?? 0) + (rule.fromCookies?.length ?? 0);
}
