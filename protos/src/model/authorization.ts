import type { ObjectMeta, PolicyTarget } from "./resource.ts";
import type { PathMatch, StringMatch } from "./string-match.ts";

/**
 * Which requests the selected workloads accept.
 * @see https://istio.io/latest/docs/reference/config/security/authorization-policy/
 */
export interface AuthorizationPolicy {
  readonly kind: "AuthorizationPolicy";
  readonly meta: ObjectMeta;
  readonly target: PolicyTarget;
  readonly action: "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";
  /** Annotation `istio.io/dry-run`: evaluated and recorded, never enforced. */
  readonly dryRun: boolean;
  /** Name of an extension provider; CUSTOM only, else empty. */
  readonly provider: string;
  /** Ordered as written; `index` survives where the translation had to drop a rule. */
  readonly rules: readonly Rule[];
}

/** Matches when one of `from` holds (or it is empty), one of `to` holds (or it is empty), and all of `when` hold. */
export interface Rule {
  /** Position in spec.rules, zero-based. */
  readonly index: number;
  /** Each entry is one `source`: all of its conditions must hold. */
  readonly from: readonly (readonly Condition[])[];
  /** Each entry is one `operation`: all of its conditions must hold. */
  readonly to: readonly (readonly Condition[])[];
  readonly when: readonly Condition[];
}

/**
 * One attribute compared with values: holds when one of `values` matches (or there are none) and none of `notValues` does.
 * `field` says where it stands, for people: `from[0].source.requestPrincipals`, `when[1].request.auth.claims[groups]`.
 */
export type Condition =
  | HeaderCondition
  | StringCondition
  | PathCondition
  | IpCondition
  | PortCondition
  | PeerCondition
  | RequestPrincipalCondition
  | ClaimCondition
  | FilterMetadataCondition;

interface Compared<Value> {
  readonly field: string;
  readonly values: readonly Value[];
  readonly notValues: readonly Value[];
}

/** `request.headers[name]`; name in lower case. Each header line is one value. */
export interface HeaderCondition extends Compared<AuthorizationMatch> {
  readonly attribute: "header";
  readonly name: string;
}

/** `host` is `:authority` as received, compared case-insensitively; `method` and `sni` are case-sensitive. */
export interface StringCondition extends Compared<AuthorizationMatch> {
  readonly attribute: "host" | "method" | "sni";
}

/** `:path` without query and fragment. */
export interface PathCondition extends Compared<PathMatch> {
  readonly attribute: "path";
}

/** `sourceIp` is the direct peer, `remoteIp` the client after x-forwarded-for, `destinationIp` the local address. */
export interface IpCondition extends Compared<CidrRange> {
  readonly attribute: "sourceIp" | "remoteIp" | "destinationIp";
}

/** The local port of the connection. */
export interface PortCondition extends Compared<number> {
  readonly attribute: "destinationPort";
}

/** Identity of the peer's certificate; values as written (trust-domain aliases are known to the server only). */
export interface PeerCondition extends Compared<string> {
  readonly attribute: "sourcePrincipal" | "sourceNamespace" | "sourceServiceAccount" | "sourceTrustDomain";
}

/** `iss` and `sub` of the verified token, compared apart. */
export interface RequestPrincipalCondition extends Compared<RequestPrincipalMatch> {
  readonly attribute: "requestPrincipal";
}

/** A claim of the verified token; also `request.auth.audiences` (path `aud`) and `request.auth.presenter` (path `azp`). */
export interface ClaimCondition extends Compared<AuthorizationMatch> {
  readonly attribute: "claim";
  readonly path: readonly string[];
}

/** `experimental.envoy.filters.NAME[key]`: dynamic metadata of another filter; `list` compares the elements of a list. */
export interface FilterMetadataCondition
  extends Compared<{ readonly list: boolean; readonly match: AuthorizationMatch }> {
  readonly attribute: "filterMetadata";
  /** Metadata namespace, e.g. `envoy.filters.http.lua`. */
  readonly filter: string;
  readonly key: string;
}

/** AuthorizationPolicy knows no regular expressions. */
export type AuthorizationMatch = Exclude<StringMatch, { kind: "regex" }>;

/** Both must hold. Neither claim is ever matched as a list. */
export interface RequestPrincipalMatch {
  readonly issuer: AuthorizationMatch;
  readonly subject: AuthorizationMatch;
}

/** `address` is a plain IPv4 or IPv6 text; host bits are ignored. A bare address has the full prefix length. */
export interface CidrRange {
  readonly address: string;
  readonly prefixLength: number;
}
