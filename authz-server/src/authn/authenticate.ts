import type { TokenLocation } from "@gatehouse/protos";
import { type HeaderLine, toByteString } from "../http-request.ts";
import type { IssuerIndex } from "../policy/issuer-index.ts";
import type { Accepted, AuthnResult, Rejected, Unauthenticated } from "./authn-result.ts";
import { Claims } from "./claims.ts";
import type { Jwt } from "./jwt.ts";
import type { JwtFailure } from "./jwt-status.ts";
import { mayLackKey } from "./key-set.ts";
import type { KnownJwt } from "./known-jwt.ts";
import { claimToHeaderValue } from "./output-header.ts";
import { type PreparedJwtRule, sanitizeAudience } from "./prepared-jwt-rule.ts";
import { PresentedToken } from "./presented-token.ts";
import { tokensAt } from "./token.ts";
import type { TokenCache } from "./token-cache.ts";

/** Envoy's fixed leeway for `exp` and `nbf`. */
const CLOCK_SKEW_SEC = 60;

/** What authentication reads of a request, and of the mesh's settings. */
export interface TokenSource {
  readonly headers: readonly HeaderLine[];
  readonly query: string;
  /** A token without `exp` is refused. */
  readonly requireExp: boolean;
}

export interface AuthnIo {
  readonly cache: TokenCache;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Hears of every token that is tried; for explanations. */
  readonly onToken?: (attempt: TokenAttempt) => void;
  /** Hears of tokens, otherwise in order, that may be signed with a key that the key set of this name lacks. */
  readonly onUnknownKey?: (keySet: string) => void;
  /** Hears of requests that are accepted with a token that never expires. */
  readonly onTokenWithoutExp?: () => void;
}

/** One token at one place, judged by one rule. */
export interface TokenAttempt {
  readonly location: TokenLocation;
  /** null: no rule is responsible, or the token could not be read. */
  readonly rule: PreparedJwtRule | null;
  /** null: it could not be read. */
  readonly jwt: Jwt | null;
  /** null: accepted. */
  readonly failure: JwtFailure | null;
}

const NONE: Unauthenticated = { kind: "none" };

/**
 * Authenticates the end user as Envoy's jwt_authn does with Istio's requirement: the first rule that fully accepts wins; else each
 * rule must accept or find nothing, in turn. Each verified token is taken away at once unless it is to be forwarded, even when its
 * rule fails by another token; so tokens of two issuers can pass together. No token at all passes without claims.
 * @param rules sorted by issuer
 * @param issuers the same rules, if there is an index of them; it changes no answer
 */
export function authenticate(
  rules: readonly PreparedJwtRule[],
  source: TokenSource,
  io: AuthnIo,
  issuers: IssuerIndex | null = null,
): AuthnResult {
  const presented = new PresentedTokens(source, io, rules.length > 1);
  // An explanation tells of every rule.
  if (issuers !== null && io.onToken === undefined) {
    const result = authenticateByIssuer(rules, issuers, presented);
    if (result !== undefined) return result;
  }
  let reported: Rejected | null = null;
  for (const rule of rules) {
    const outcome = verifyAll(rule, presented);
    if (outcome === "verified") return accept(presented);
    if (outcome !== "missed") reported = moreSpecific(reported, outcome);
  }
  if (reported === null) return rules.some((rule) => rule.isRequired) ? rejected("JwtMissed", null) : NONE;
  if (rules.length === 1) return reported;
  presented.isSecondLook = true;
  for (const rule of rules) {
    const outcome = verifyAll(rule, presented);
    if (outcome !== "verified" && outcome !== "missed") return moreSpecific(reported, outcome);
  }
  return accept(presented);
}

/**
 * Says the same of one token, at one of the places where all rules look, and of none: the rules of other issuers would refuse it.
 * @returns undefined for more than one token
 */
function authenticateByIssuer(
  rules: readonly PreparedJwtRule[],
  issuers: IssuerIndex,
  presented: PresentedTokens,
): AuthnResult | undefined {
  const [token, ...others] = issuers.locations.flatMap((location) => presented.at(location));
  if (token === undefined) return issuers.isRequired ? rejected("JwtMissed", null) : NONE;
  if (others.length > 0) return undefined;
  const { jwt } = token;
  if (typeof jwt === "string") return rejected(jwt, null);
  const concerned = issuers.rulesFor(jwt.issuer);
  let reported = rejected("JwtUnknownIssuer", null);
  for (const rule of concerned) {
    const outcome = verifyAll(rule, presented);
    if (outcome === "verified") return accept(presented);
    if (outcome !== "missed") reported = moreSpecific(reported, outcome);
  }
  // The second look ends at the first rule of all.
  const [first] = rules;
  if (first === undefined || first !== concerned[0]) return reported;
  presented.isSecondLook = true;
  const outcome = verifyAll(first, presented);
  return outcome === "verified" || outcome === "missed" ? reported : moreSpecific(reported, outcome);
}

type Outcome = "missed" | "verified" | Rejected;

interface VerifiedToken {
  readonly jwt: Jwt;
  readonly rule: PreparedJwtRule;
  readonly location: TokenLocation;
}

// Every token at these places must verify. They are checked from the back: cookies, parameters, headers.
function verifyAll(rule: PreparedJwtRule, presented: PresentedTokens): Outcome {
  presented.withdrawOutputs(rule);
  // All are looked up first: with the first that verifies, others may be taken away.
  const places = rule.locations.map((location) => ({ location, tokens: presented.at(location) }));
  let outcome: Outcome = "missed";
  for (const { location, tokens } of places.reverse()) {
    for (const token of tokens.length < 2 ? tokens : tokens.toReversed()) {
      const failed = verifyOne(rule, location, token, presented);
      if (failed !== null) return failed;
      outcome = "verified";
    }
  }
  return outcome;
}

/** @returns null when the token is accepted, and taken */
function verifyOne(
  rule: PreparedJwtRule,
  location: TokenLocation,
  token: PresentedToken,
  presented: PresentedTokens,
): Rejected | null {
  const { jwt } = token;
  if (typeof jwt === "string") {
    presented.report({ location, rule: null, jwt: null, failure: jwt });
    return rejected(jwt, null);
  }
  const failure = verifyToken(rule, token, jwt, presented);
  presented.report({ location, rule, jwt, failure });
  if (failure !== null) return rejected(failure, rule);
  presented.take({ jwt, rule, location });
  return null;
}

function verifyToken(
  rule: PreparedJwtRule,
  token: PresentedToken,
  jwt: KnownJwt,
  { io, requireExp }: PresentedTokens,
): JwtFailure | null {
  if (rule.issuer !== "" && rule.issuer !== jwt.issuer) return "JwtUnknownIssuer";
  const nowSec = Math.floor(io.now() / 1000);
  if (jwt.notBeforeSec !== undefined && nowSec + CLOCK_SKEW_SEC < jwt.notBeforeSec) return "JwtNotYetValid";
  if (jwt.expiresSec !== undefined && nowSec > jwt.expiresSec + CLOCK_SKEW_SEC) return "JwtExpired";
  if (requireExp && jwt.expiresSec === undefined) return "JwtWithoutExp";
  if (rule.audiences.size > 0 && !jwt.audiences.some((aud) => rule.audiences.has(sanitizeAudience(aud)))) {
    return "JwtAudienceNotAllowed";
  }
  if (rule.isInvalid) return "JwtVerificationFail";
  const failure = token.verify(jwt, rule.keySet);
  if (failure !== null && mayLackKey(rule.keySet, jwt.kid)) io.onUnknownKey?.(rule.source.keySet);
  return failure;
}

/** The failure that clients hear of: the last that says more than that nobody knows the issuer. */
function moreSpecific(before: Rejected | null, next: Rejected): Rejected {
  return before !== null && next.failure === "JwtUnknownIssuer" ? before : next;
}

function accept({ taken, outputHeaders, io }: PresentedTokens): Accepted {
  const last = taken[taken.length - 1];
  if (last === undefined) return NONE;
  if (taken.some(({ jwt }) => jwt.expiresSec === undefined)) io.onTokenWithoutExp?.();
  return {
    kind: "authenticated",
    claims: new Claims(last.jwt.payload, last.rule.spaceDelimitedClaims),
    outputHeaders,
    removeFrom: taken.filter(({ rule }) => !rule.forwardOriginalToken).map(({ location }) => location),
  };
}

function outputHeaders(rule: PreparedJwtRule, jwt: Jwt): readonly HeaderLine[] {
  const lines: HeaderLine[] = [];
  if (rule.outputPayloadToHeader !== "") lines.push({ name: rule.outputPayloadToHeader, value: jwt.payloadSegment });
  for (const { header, claim } of rule.outputClaimToHeaders) {
    const value = claimToHeaderValue(jwt.payload, claim);
    if (value !== undefined) lines.push({ name: header, value: toByteString(value) });
  }
  return lines;
}

function rejected(failure: JwtFailure, rule: PreparedJwtRule | null): Rejected {
  return { kind: "rejected", failure, keysUnavailable: rule !== null && rule.keySet.state === "unavailable" };
}

function locationKey(location: TokenLocation): string {
  return location.kind === "header"
    ? `header:${location.name}:${location.prefix}`
    : `${location.kind}:${location.name}`;
}

/** A header goes with all its lines, a cookie stays. */
function isRemovedWith({ rule, location: from }: VerifiedToken, location: TokenLocation): boolean {
  return (
    !rule.forwardOriginalToken && from.kind !== "cookie" && from.kind === location.kind && from.name === location.name
  );
}

/** The tokens of one request: each location is read once, each token is digested and parsed once, whatever the number of rules. */
class PresentedTokens {
  readonly io: AuthnIo;
  readonly requireExp: boolean;
  readonly #source: TokenSource;
  /** null: there is one rule, and it looks once. */
  readonly #byLocation: Map<string, readonly PresentedToken[]> | null;
  /** Most requests have one. */
  #first: PresentedToken | undefined;
  /** The others. */
  #byText: Map<string, PresentedToken> | undefined;
  /** Verified so far, in that order. */
  readonly taken: VerifiedToken[] = [];
  outputHeaders: readonly HeaderLine[] = [];
  /** Failures are told once. */
  isSecondLook = false;

  /** @param isLookedAtAgain by more than one rule */
  constructor(source: TokenSource, io: AuthnIo, isLookedAtAgain: boolean) {
    this.#source = source;
    this.#byLocation = isLookedAtAgain ? new Map() : null;
    this.requireExp = source.requireExp;
    this.io = io;
  }

  at(location: TokenLocation): readonly PresentedToken[] {
    const tokens = this.#tokensAt(location);
    // A parameter that is there twice stays until each of its tokens is accepted: an upstream may read another one than we did.
    if (location.kind === "param" && tokens.length > 1) return tokens;
    if (this.taken.length === 0) return tokens;
    return this.taken.some((token) => isRemovedWith(token, location)) ? [] : tokens;
  }

  #tokensAt(location: TokenLocation): readonly PresentedToken[] {
    if (this.#byLocation === null) return this.#readTokens(location);
    const key = locationKey(location);
    let tokens = this.#byLocation.get(key);
    if (tokens === undefined) {
      tokens = this.#readTokens(location);
      this.#byLocation.set(key, tokens);
    }
    return tokens;
  }

  #readTokens(location: TokenLocation): readonly PresentedToken[] {
    const texts = tokensAt(location, this.#source.headers, this.#source.query);
    return texts.length === 0 ? [] : texts.map((text) => this.#token(text));
  }

  take(token: VerifiedToken): void {
    this.taken.push(token);
    const added = outputHeaders(token.rule, token.jwt);
    if (added.length > 0) this.outputHeaders = [...this.outputHeaders, ...added];
  }

  /** Each time that Envoy asks a rule, it first removes the headers that the rule may write, whoever has written them. */
  withdrawOutputs({ outputNames }: PreparedJwtRule): void {
    if (this.outputHeaders.length === 0) return;
    this.outputHeaders = this.outputHeaders.filter(({ name }) => !outputNames.has(name));
  }

  report(attempt: TokenAttempt): void {
    if (!this.isSecondLook || attempt.failure === null) this.io.onToken?.(attempt);
  }

  #token(text: string): PresentedToken {
    // Most requests have one: a map would hash all of its text.
    this.#first ??= new PresentedToken(text, this.io.cache);
    if (this.#first.text === text) return this.#first;
    this.#byText ??= new Map();
    let token = this.#byText.get(text);
    if (token === undefined) {
      token = new PresentedToken(text, this.io.cache);
      this.#byText.set(text, token);
    }
    return token;
  }
}
