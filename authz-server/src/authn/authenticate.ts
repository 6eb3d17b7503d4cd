import { hash } from "node:crypto";
import type { TokenLocation } from "@gatehouse/protos";
import { type HeaderLine, toByteString } from "../http-request.ts";
import type { Accepted, AuthnResult, Rejected, Unauthenticated } from "./authn-result.ts";
import { Claims } from "./claims.ts";
import { type Jwt, parseJwt } from "./jwt.ts";
import type { JwtFailure } from "./jwt-status.ts";
import { type ImportedKeySet, verifySignature } from "./key-set.ts";
import { claimToHeaderValue } from "./output-header.ts";
import { type PreparedJwtRule, sanitizeAudience } from "./prepared-jwt-rule.ts";
import { orderedLocations, tokensAt } from "./token.ts";
import type { TokenCache } from "./token-cache.ts";

/** Envoy's fixed leeway for `exp` and `nbf`. */
const CLOCK_SKEW_SEC = 60;

/** The parts of a request that authentication reads. */
export interface TokenSource {
  readonly headers: readonly HeaderLine[];
  readonly query: string;
}

export interface AuthnIo {
  readonly cache: TokenCache;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

const NONE: Unauthenticated = { kind: "none" };
/**
 * Authenticates the end user as Envoy's jwt_authn does with Istio's requirement: the first rule that fully accepts wins; else every
 * token must be accepted by the rule of its own issuer; no token at all passes without claims.
 * @param rules sorted by issuer
 */
export function authenticate(rules: readonly PreparedJwtRule[], source: TokenSource, io: AuthnIo): AuthnResult {
  const presented = new PresentedTokens(source, io);
  let reported: Rejected | null = null;
  for (const rule of rules) {
    const outcome = verifyAll(rule.locations, presented, () => rule);
    if (outcome.kind === "verified") return accept(outcome);
    if (outcome.kind === "rejected") reported = moreSpecific(reported, outcome);
  }
  if (reported === null) return rules.some((rule) => rule.isRequired) ? rejected("JwtMissed", null) : NONE;
  if (rules.length === 1) return reported;
  const outcome = verifyAll(allLocations(rules), presented, (location, jwt) => ruleOf(rules, location, jwt));
  if (outcome.kind === "verified") return accept(outcome);
  return outcome.kind === "rejected" ? moreSpecific(reported, outcome) : reported;
}

type Outcome = { readonly kind: "missed" } | Rejected | Verified;

interface Verified {
  readonly kind: "verified";
  /** In order of verification. */
  readonly tokens: readonly [VerifiedToken, ...VerifiedToken[]];
}

interface VerifiedToken {
  readonly jwt: Jwt;
  readonly rule: PreparedJwtRule;
  readonly location: TokenLocation;
}

type RuleChoice = (location: TokenLocation, jwt: Jwt) => PreparedJwtRule | undefined;

// Every token at these places must verify. They are checked from the back: cookies, parameters, headers.
function verifyAll(locations: readonly TokenLocation[], presented: PresentedTokens, choose: RuleChoice): Outcome {
  const verified: VerifiedToken[] = [];
  for (const location of locations.toReversed()) {
    for (const token of presented.at(location).toReversed()) {
      const { jwt } = token;
      if (typeof jwt === "string") return rejected(jwt, null);
      const rule = choose(location, jwt);
      const failure = rule === undefined ? "JwtUnknownIssuer" : verifyToken(rule, token, jwt, presented.io);
      if (rule === undefined || failure !== null) return rejected(failure ?? "JwtUnknownIssuer", rule ?? null);
      verified.push({ jwt, rule, location });
    }
  }
  const [first, ...rest] = verified;
  return first === undefined ? MISSED : { kind: "verified", tokens: [first, ...rest] };
}

const MISSED: Outcome = { kind: "missed" };

function verifyToken(rule: PreparedJwtRule, token: PresentedToken, jwt: Jwt, io: AuthnIo): JwtFailure | null {
  if (rule.issuer !== "" && rule.issuer !== jwt.issuer) return "JwtUnknownIssuer";
  const nowSec = Math.floor(io.now() / 1000);
  if (jwt.notBeforeSec !== undefined && nowSec + CLOCK_SKEW_SEC < jwt.notBeforeSec) return "JwtNotYetValid";
  if (jwt.expiresSec !== undefined && nowSec > jwt.expiresSec + CLOCK_SKEW_SEC) return "JwtExpired";
  if (rule.audiences.size > 0 && !jwt.audiences.some((aud) => rule.audiences.has(sanitizeAudience(aud)))) {
    return "JwtAudienceNotAllowed";
  }
  return rule.isInvalid ? "JwtVerificationFail" : token.verify(jwt, rule.keySet);
}

/** The rule that a token at a place belongs to: of its issuer before one of any issuer, and only if it looks at that place. */
function ruleOf(rules: readonly PreparedJwtRule[], location: TokenLocation, jwt: Jwt): PreparedJwtRule | undefined {
  const here = rules.filter((rule) =>
    rule.locations.some((candidate) => locationKey(candidate) === locationKey(location)),
  );
  return here.find((rule) => rule.issuer === jwt.issuer) ?? here.find((rule) => rule.issuer === "");
}

function allLocations(rules: readonly PreparedJwtRule[]): readonly TokenLocation[] {
  const locations = new Map(
    rules.flatMap((rule) => rule.locations.map((location) => [locationKey(location), location])),
  );
  return orderedLocations([...locations.values()]);
}

/** The failure that clients hear of: the first that says more than that nobody knows the issuer. */
function moreSpecific(before: Rejected | null, next: Rejected): Rejected {
  return before === null || before.failure === "JwtUnknownIssuer" ? next : before;
}

function accept({ tokens }: Verified): Accepted {
  const decisive = tokens.at(-1) ?? tokens[0]; // the first in order of collection
  return {
    kind: "authenticated",
    claims: new Claims(decisive.jwt.payload, decisive.rule.spaceDelimitedClaims),
    outputHeaders: tokens.flatMap(({ rule, jwt }) => outputHeaders(rule, jwt)),
    removeFrom: tokens.filter(({ rule }) => !rule.forwardOriginalToken).map(({ location }) => location),
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

/** The tokens of one request: each location is read once, each token is digested and parsed once, whatever the number of rules. */
class PresentedTokens {
  readonly io: AuthnIo;
  readonly #source: TokenSource;
  readonly #byLocation = new Map<string, readonly PresentedToken[]>();
  readonly #byText = new Map<string, PresentedToken>();

  constructor(source: TokenSource, io: AuthnIo) {
    this.#source = source;
    this.io = io;
  }

  at(location: TokenLocation): readonly PresentedToken[] {
    const key = locationKey(location);
    let tokens = this.#byLocation.get(key);
    if (tokens === undefined) {
      tokens = tokensAt(location, this.#source.headers, this.#source.query).map((text) => this.#token(text));
      this.#byLocation.set(key, tokens);
    }
    return tokens;
  }

  #token(text: string): PresentedToken {
    let token = this.#byText.get(text);
    if (token === undefined) {
      token = new PresentedToken(text, this.io.cache);
      this.#byText.set(text, token);
    }
    return token;
  }
}

class PresentedToken {
  readonly #text: string;
  readonly #cache: TokenCache;
  #digest = "";
  #parsed: Jwt | JwtFailure | undefined;
  #verifiedBy = 0;

  constructor(text: string, cache: TokenCache) {
    this.#text = text;
    this.#cache = cache;
  }

  /** The token taken apart, by now or by an earlier request. */
  get jwt(): Jwt | JwtFailure {
    if (this.#parsed === undefined) {
      this.#digest = hash("sha256", this.#text, "binary");
      const known = this.#cache.get(this.#digest);
      this.#parsed = known?.jwt ?? parseJwt(this.#text);
      this.#verifiedBy = known?.keySetId ?? 0;
    }
    return this.#parsed;
  }

  /** @returns null when a key of the set has signed it */
  verify(jwt: Jwt, keySet: ImportedKeySet): JwtFailure | null {
    if (this.#verifiedBy === keySet.id && keySet.state === "ready") return null;
    const failure = verifySignature(jwt, jwt.kid, keySet);
    if (failure === null) {
      this.#verifiedBy = keySet.id;
      this.#cache.add(this.#digest, { jwt, keySetId: keySet.id });
    }
    return failure;
  }
}
