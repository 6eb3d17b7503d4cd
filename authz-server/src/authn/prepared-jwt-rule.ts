import type { ClaimToHeader, JwtRule, TokenLocation } from "@gatehouse/protos";
import type { ImportedKeySet } from "./key-set.ts";
import { orderedLocations } from "./token.ts";

/** A JWT rule with all that policy alone decides worked out. */
export interface PreparedJwtRule {
  readonly issuer: string;
  /** Sanitised; empty means not checked. */
  readonly audiences: ReadonlySet<string>;
  readonly locations: readonly TokenLocation[];
  readonly keySet: ImportedKeySet;
  readonly outputPayloadToHeader: string;
  readonly outputClaimToHeaders: readonly ClaimToHeader[];
  readonly forwardOriginalToken: boolean;
  /** Claims that are lists when they hold blanks. */
  readonly spaceDelimitedClaims: ReadonlySet<string>;
  readonly isRequired: boolean;
  /** A rule that could not be compiled verifies nothing. */
  readonly isInvalid: boolean;
}

/** Claims that are lists when they hold blanks, whatever the rule says. */
const ALWAYS_SPLIT = ["scope", "permission"];

/** Works out all of a rule that policy alone decides. */
export function prepareJwtRule(rule: JwtRule, keySet: ImportedKeySet): PreparedJwtRule {
  return {
    issuer: rule.issuer,
    audiences: new Set(rule.audiences.map(sanitizeAudience)),
    locations: orderedLocations(rule.locations),
    keySet,
    outputPayloadToHeader: rule.outputPayloadToHeader,
    outputClaimToHeaders: rule.outputClaimToHeaders,
    forwardOriginalToken: rule.forwardOriginalToken,
    spaceDelimitedClaims: new Set([...ALWAYS_SPLIT, ...rule.spaceDelimitedClaims]),
    isRequired: rule.presence === "REQUIRED",
    isInvalid: rule.invalid !== "",
  };
}

/** Envoy compares audiences without scheme and without one trailing slash. */
export function sanitizeAudience(audience: string): string {
  const rest = audience.startsWith("https://") ? audience.slice(8) : audience.replace(/^http:\/\//, "");
  return rest.endsWith("/") ? rest.slice(0, -1) : rest;
}
