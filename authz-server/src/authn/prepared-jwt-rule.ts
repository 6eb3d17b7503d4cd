import type { ClaimToHeader, JwtRule, PolicyRef, TokenLocation } from "@gatehouse/protos";
import type { ImportedKeySet } from "./key-set.ts";
import { orderedLocations } from "./token.ts";

/** A JWT rule with all that policy alone decides worked out. */
export interface PreparedJwtRule {
  /** As the policy has it, and which policy that is. */
  readonly source: JwtRule;
  readonly ref: PolicyRef;
  /** Position in spec.jwtRules. */
  readonly index: number;
  readonly issuer: string;
  /** Sanitised; empty means not checked. */
  readonly audiences: ReadonlySet<string>;
  readonly locations: readonly TokenLocation[];
  readonly keySet: ImportedKeySet;
  readonly outputPayloadToHeader: string;
  readonly outputClaimToHeaders: readonly ClaimToHeader[];
  /** All headers that it may write. */
  readonly outputNames: ReadonlySet<string>;
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
export function prepareJwtRule(
  rule: JwtRule,
  place: Pick<PreparedJwtRule, "ref" | "index">,
  keySet: ImportedKeySet,
): PreparedJwtRule {
  return {
    ...place,
    source: rule,
    issuer: rule.issuer,
    audiences: new Set(rule.audiences.map(sanitizeAudience)),
    locations: orderedLocations(rule.locations),
    keySet,
    outputPayloadToHeader: rule.outputPayloadToHeader,
    outputClaimToHeaders: rule.outputClaimToHeaders,
    outputNames: new Set([rule.outputPayloadToHeader, ...rule.outputClaimToHeaders.map(({ header }) => header)]),
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
