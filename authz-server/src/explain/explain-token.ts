import type { TokenLocation } from "@gatehouse/protos";
import type { TokenAttempt } from "../authn/authenticate.ts";
import type { Jwt } from "../authn/jwt.ts";
import { JWT_STATUS_TEXT, type JwtFailure } from "../authn/jwt-status.ts";
import { type VerificationKey, verifySignature } from "../authn/key-set.ts";
import type { PreparedJwtRule } from "../authn/prepared-jwt-rule.ts";
import type { AttemptExplanation, TokenExplanation } from "./explanation.ts";
import type { Redactor } from "./redactor.ts";

/** What became of the tokens of a request, as far as the decision tells. */
export type TokenOutcome = Pick<TokenExplanation, "outcome" | "failure" | "policies">;

/** Explains the tokens of a request. @param attempts in the order of verification */
export function explainToken(
  rules: readonly PreparedJwtRule[],
  attempts: readonly TokenAttempt[],
  outcome: TokenOutcome,
  redactor: Redactor,
): TokenExplanation {
  // With several rules, Envoy's requirement judges some tokens twice.
  const explained = new Map(
    attempts.map((attempt) => {
      const explanation = explainAttempt(attempt, rules, redactor);
      return [JSON.stringify(explanation), explanation];
    }),
  );
  const lookedAt = new Set(rules.flatMap((rule) => rule.locations.map(locationText)));
  return { ...outcome, lookedAt: [...lookedAt], attempts: [...explained.values()] };
}

function explainAttempt(
  { location, rule, jwt, failure }: TokenAttempt,
  rules: readonly PreparedJwtRule[],
  redactor: Redactor,
): AttemptExplanation {
  return {
    location: locationText(location),
    rule: rule && { policy: rule.ref, index: rule.index, issuer: rule.issuer },
    accepted: failure === null,
    failure: failure === null ? "" : JWT_STATUS_TEXT[failure],
    compared: failure === null || jwt === null ? null : compared(failure, { jwt, rule, rules }, redactor),
    alg: jwt?.alg ?? "",
    keyId: failure === null && jwt !== null && rule !== null ? verifyingKeyId(jwt, rule, redactor) : null,
  };
}

/** The path of the request's own verification, walked once more: a cache may have spared it there. */
function verifyingKeyId(jwt: Jwt, rule: PreparedJwtRule, redactor: Redactor): string | null {
  const key = verifySignature(jwt, jwt.kid, rule.keySet);
  return typeof key === "string" ? null : redactor.text(key.kid);
}

interface Judged {
  readonly jwt: Jwt;
  readonly rule: PreparedJwtRule | null;
  readonly rules: readonly PreparedJwtRule[];
}

function compared(
  failure: JwtFailure,
  { jwt, rule, rules }: Judged,
  redactor: Redactor,
): AttemptExplanation["compared"] {
  const shown = (text: string): string => redactor.text(text);
  switch (failure) {
    case "JwtUnknownIssuer": {
      const known = rule === null ? rules.map(({ issuer }) => issuer) : [rule.issuer];
      return { what: "iss", expected: [...new Set(known)], actual: shown(jwt.issuer) };
    }
    case "JwtAudienceNotAllowed":
      return { what: "aud", expected: rule?.source.audiences ?? [], actual: jwt.audiences.map(shown).join(", ") };
    case "JwtExpired":
      return { what: "exp", expected: ["in the future"], actual: timeText(jwt.expiresSec) };
    case "JwtWithoutExp":
      return { what: "exp", expected: ["in every token (requireExp)"], actual: "none" };
    case "JwtNotYetValid":
      return { what: "nbf", expected: ["in the past"], actual: timeText(jwt.notBeforeSec) };
    case "JwksKidAlgMismatch":
      return { what: "kid", expected: keyTexts(rule), actual: `${shown(jwt.kid) || "none"} (${jwt.alg})` };
    case "JwtVerificationFail":
      return { what: "signature", ...signatureTexts(jwt, rule, shown) };
    default:
      return null;
  }
}

function signatureTexts(
  jwt: Jwt,
  rule: PreparedJwtRule | null,
  shown: (text: string) => string,
): { readonly expected: readonly string[]; readonly actual: string } {
  if (rule?.isInvalid === true) {
    return { expected: [], actual: `not checked, the rule is not valid: ${rule.source.invalid}` };
  }
  if (rule?.keySet.state === "unavailable") {
    return { expected: [], actual: "not checked, the keys of this issuer have not been fetched" };
  }
  const { kid, alg } = jwt;
  const fits = (key: VerificationKey): boolean =>
    (kid === "" || key.kid === "" || key.kid === kid) && (key.alg === "" || key.alg === alg);
  const expected = keyTexts(rule, fits).map((key) => `by key ${key}`);
  return { expected, actual: `by another key (the token names ${shown(jwt.kid) || "no key"}, ${jwt.alg})` };
}

function keyTexts(
  rule: PreparedJwtRule | null,
  isMeant: (key: VerificationKey) => boolean = () => true,
): readonly string[] {
  return (rule?.keySet.keys ?? []).filter(isMeant).map(({ kid, alg, algorithms }) => {
    const use = alg === "" ? familyOf(algorithms) : alg;
    return `${kid === "" ? "without kid" : kid} (${use})`;
  });
}

function familyOf([first = "", ...others]: readonly string[]): string {
  if (others.length === 0) return first;
  return first.startsWith("HS") ? "HMAC" : "RSA";
}

function timeText(sec: number | undefined): string {
  const date = new Date((sec ?? Number.NaN) * 1000);
  return Number.isNaN(date.getTime()) ? String(sec) : date.toISOString().replace(".000Z", "Z");
}

function locationText(location: TokenLocation): string {
  switch (location.kind) {
    case "header": {
      const prefix = location.prefix.trim();
      return `header ${location.name}${prefix === "" || prefix === "Bearer" ? "" : ` (prefix ${prefix})`}`;
    }
    case "param":
      return `query parameter ${location.name}`;
    case "cookie":
      return `cookie ${location.name}`;
  }
}
