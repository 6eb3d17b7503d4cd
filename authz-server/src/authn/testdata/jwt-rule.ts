import type { JwtRule } from "@gatehouse/protos";
import { type ImportedKeySet, indexKeys, type VerificationKey } from "../key-set.ts";
import { type PreparedJwtRule, prepareJwtRule } from "../prepared-jwt-rule.ts";

/** A rule of the issuer `i`, at the default places, unless the fields say otherwise. */
export function jwtRule(fields: Partial<JwtRule> = {}): JwtRule {
  return {
    issuer: "i",
    audiences: [],
    locations: [],
    keySet: "keys",
    outputPayloadToHeader: "",
    outputClaimToHeaders: [],
    forwardOriginalToken: false,
    spaceDelimitedClaims: [],
    presence: "OPTIONAL",
    invalid: "",
    ...fields,
  };
}

/** The rule as the first of a policy `foo/ra`. */
export function preparedRule(rule: JwtRule, keySet: ImportedKeySet): PreparedJwtRule {
  return prepareJwtRule(rule, { ref: { kind: "RequestAuthentication", namespace: "foo", name: "ra" }, index: 0 }, keySet);
}

/** A set of these keys. */
export function keySet(...keys: readonly VerificationKey[]): ImportedKeySet {
  return { id: nextId++, state: "ready", ...indexKeys(keys) };
}

let nextId = 1_000_000;

/** A key that verifies everything, unless the fields say otherwise. */
export function verificationKey(fields: Partial<VerificationKey> = {}): VerificationKey {
  return { kid: "", alg: "", algorithms: ["RS256"], verifies: () => true, ...fields };
}

/** A token with a signature that means nothing. */
export function token(claims: object, header: object = { alg: "RS256" }): string {
  const parts = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return `${parts.join(".")}.AAAA`;
}
