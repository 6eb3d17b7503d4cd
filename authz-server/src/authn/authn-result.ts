import type { TokenLocation } from "@gatehouse/protos";
import type { HeaderLine } from "../http-request.ts";
import type { Claims } from "./claims.ts";
import type { JwtFailure } from "./jwt-status.ts";

/** What is known of the end user. */
export type AuthnResult = Accepted | Rejected;

/** A request that goes on to authorization. */
export type Accepted = Unauthenticated | Authenticated;

/** No token where one is looked for. */
export interface Unauthenticated {
  readonly kind: "none";
}

/** What is known of a user before any token was looked at. */
export const NO_TOKEN: Accepted = { kind: "none" };

export interface Authenticated {
  readonly kind: "authenticated";
  readonly claims: Claims;
  /** Headers that the winning rule gives the request. */
  readonly outputHeaders: readonly HeaderLine[];
  /** Where the tokens of the winning rule stood; empty when they are to be forwarded. */
  readonly removeFrom: readonly TokenLocation[];
}

export interface Rejected {
  readonly kind: "rejected";
  readonly failure: JwtFailure;
  /** The rule that failed could never get its keys. */
  readonly keysUnavailable: boolean;
}
