import type { TokenLocation } from "@gatehouse/protos";
import type { PreparedJwtRule } from "../authn/prepared-jwt-rule.ts";

/** JWT rules that all look for tokens at the same places, by issuer: of many, a token concerns a few. */
export interface IssuerIndex {
  readonly locations: readonly TokenLocation[];
  /** Those that do not refuse a token for its issuer, in their order. */
  readonly rulesFor: (issuer: string) => readonly PreparedJwtRule[];
  /** Some rule wants a token. */
  readonly isRequired: boolean;
}

/** So few are tried one by one. */
const FEW = 3;

/** @returns null where an index would not help, or would not say the same as the rules one after the other */
export function indexIssuers(rules: readonly PreparedJwtRule[]): IssuerIndex | null {
  const [first] = rules;
  if (first === undefined || rules.length <= FEW) return null;
  const places = JSON.stringify(first.locations);
  if (rules.some(({ locations }) => JSON.stringify(locations) !== places)) return null;
  const forAny = rules.filter(({ issuer }) => issuer === "");
  const byIssuer = new Map<string, PreparedJwtRule[]>();
  for (const rule of rules) {
    if (rule.issuer === "") continue;
    const known = byIssuer.get(rule.issuer);
    if (known === undefined) byIssuer.set(rule.issuer, [...forAny, rule]);
    else known.push(rule);
  }
  return {
    locations: first.locations,
    rulesFor: (issuer) => byIssuer.get(issuer) ?? forAny,
    isRequired: rules.some((rule) => rule.isRequired),
  };
}
