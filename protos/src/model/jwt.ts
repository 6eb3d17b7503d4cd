import type { ObjectMeta, PolicyTarget } from "./resource.ts";

/** End-user authentication for the workloads it selects: which tokens are believed, where they are looked for. */
export interface RequestAuthentication {
  readonly kind: "RequestAuthentication";
  readonly meta: ObjectMeta;
  readonly target: PolicyTarget;
  readonly jwtRules: readonly JwtRule[];
}

/**
 * One issuer that is trusted.
 * @see https://istio.io/latest/docs/reference/config/security/jwt/#JWTRule
 */
export interface JwtRule {
  /** `iss` must equal it byte for byte; empty accepts any issuer, also a token without `iss`. */
  readonly issuer: string;
  /** The token's `aud` must hold one of them; empty means not checked. */
  readonly audiences: readonly string[];
  /** Where the token is looked for. Empty means the default pair: `Authorization: Bearer` and query parameter `access_token`. */
  readonly locations: readonly TokenLocation[];
  /** `KeySet.name` of the keys that verify tokens of this rule. */
  readonly keySet: string;
  /** Request header that receives the payload segment of the verified token, as sent (base64url). Lower case; empty means none. */
  readonly outputPayloadToHeader: string;
  readonly outputClaimToHeaders: readonly ClaimToHeader[];
  readonly forwardOriginalToken: boolean;
  /** Top-level claims split on blanks, besides `scope` and `permission`. */
  readonly spaceDelimitedClaims: readonly string[];
  readonly presence: "OPTIONAL" | "REQUIRED";
  /** Why this rule could not be compiled, or empty. A broken rule rejects every token at its locations. */
  readonly invalid: string;
}

/** One place where a token may stand. Header names are lower case, parameter and cookie names as written. */
export type TokenLocation =
  | { readonly kind: "header"; readonly name: string; readonly prefix: string }
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string };

/** Copies a claim (path split on `.`) of a verified token to a request header (lower case). */
export interface ClaimToHeader {
  readonly header: string;
  readonly claim: readonly string[];
}

/** The keys of one source, shared by all rules with that source. */
export interface KeySet {
  readonly kind: "KeySet";
  /** Content-addressed for inline keys (`inline-<hash>`), by source for fetched ones. */
  readonly name: string;
  readonly minReaderVersion: number;
  /**
   * `ready`: has been read, holds at least one usable key. `noValidKeys`: has been read, holds none.
   * `unavailable`: never could be fetched.
   */
  readonly state: "ready" | "noValidKeys" | "unavailable";
  /** In the order of the document: the first that verifies wins. */
  readonly keys: readonly Jwk[];
}

/** A verification key. Members are base64url texts as in RFC 7517; `kid` and `alg` are empty when absent. Never a private member. */
export type Jwk =
  | { readonly kty: "RSA"; readonly kid: string; readonly alg: string; readonly n: string; readonly e: string }
  | {
      readonly kty: "EC";
      readonly kid: string;
      readonly alg: string;
      readonly crv: "P-256" | "P-384" | "P-521";
      readonly x: string;
      readonly y: string;
    }
  | { readonly kty: "oct"; readonly kid: string; readonly alg: string; readonly k: string }
  | { readonly kty: "OKP"; readonly kid: string; readonly alg: string; readonly crv: "Ed25519"; readonly x: string };
