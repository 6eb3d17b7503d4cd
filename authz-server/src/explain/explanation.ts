import type { DenyReason } from "../decision.ts";

/**
 * Why a request is answered as it is. Plain data, also the form of `gatehouse explain -o json` (docs/explain.md): names stay, members
 * may be added. It never holds a token, a key, or a claim that no condition looks at.
 */
export interface Explanation {
  readonly verdict: VerdictExplanation;
  readonly request: RequestExplanation;
  readonly workload: WorkloadExplanation;
  /** What would have had to be otherwise; null unless no ALLOW rule or no route matched. */
  readonly nearestMiss: NearestMiss | null;
  readonly token: TokenExplanation;
  /** Every policy that applies to the workload, in the order CUSTOM, AUDIT, DENY, ALLOW. */
  readonly policies: readonly PolicyExplanation[];
  readonly route: RouteExplanation;
}

export interface VerdictExplanation {
  /** `answer`: the policy itself answers, as a redirect or direct response does. */
  readonly outcome: "allow" | "deny" | "answer";
  /** null: the upstream's. */
  readonly status: number | null;
  readonly body: string;
  readonly reason: "allowed" | DenyReason;
  /** The object that decided, where one did. */
  readonly policy: ObjectName | null;
  /** The rule that decided, as Istio names it in Envoy's logs: `ns[foo]-policy[bar]-rule[0]`. */
  readonly rule: string | null;
  /** One line. */
  readonly summary: string;
}

export interface ObjectName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface RequestExplanation {
  readonly method: string;
  readonly scheme: string;
  readonly host: string;
  /** As policies see it: normalised, without query. null: refused as malformed. */
  readonly path: string | null;
  /** As sent, without query. */
  readonly sentPath: string;
  readonly port: number;
  /** The direct peer. */
  readonly sourceIp: string;
  /** The client after x-forwarded-for; null when the policies were not reached. */
  readonly remoteIp: string | null;
}

export interface WorkloadExplanation {
  readonly namespace: string;
  /** `app=httpbin,version=v1` */
  readonly labels: string;
  readonly isGateway: boolean;
}

export interface NearestMiss {
  readonly object: ObjectName;
  /** `rule 0`, `route 1 (name)` */
  readonly part: string;
  /** Those that hold, and those that would have had to. Of several sources or operations, the ones that come closest. */
  readonly conditions: readonly ConditionExplanation[];
}

export interface TokenExplanation {
  /**
   * `notChecked`: no RequestAuthentication applies. `notReached`: the request was answered before. `preflight`: a CORS preflight needs no
   * token. `none`: no token where one is looked for. `missing`: none, and one is required.
   */
  readonly outcome: "notChecked" | "notReached" | "preflight" | "none" | "missing" | "verified" | "rejected";
  /** The RequestAuthentications that apply. */
  readonly policies: readonly ObjectName[];
  /** The text that the client gets; empty unless rejected or missing. */
  readonly failure: string;
  /** Where tokens are looked for: `header authorization`, `query parameter access_token`, `cookie session`. */
  readonly lookedAt: readonly string[];
  /** Each token and rule that were tried, in order. The last accepted one gives the claims. */
  readonly attempts: readonly AttemptExplanation[];
}

export interface AttemptExplanation {
  readonly location: string;
  /** The rule that judged it; null: none is responsible, or the token could not be read. */
  readonly rule: { readonly policy: ObjectName; readonly index: number; readonly issuer: string } | null;
  readonly accepted: boolean;
  /** Istio's text; empty when accepted. */
  readonly failure: string;
  /** What of the token failed, where it can be said: `iss`, `aud`, `exp`, `nbf`, `kid`, `signature`. */
  readonly compared: { readonly what: string; readonly expected: readonly string[]; readonly actual: string } | null;
  /** Algorithm of the token; empty when it could not be read. */
  readonly alg: string;
  /** `kid` of the key that verified it; empty when that key has none, null when none verified it. */
  readonly keyId: string | null;
}

export interface PolicyExplanation {
  readonly policy: ObjectName;
  /** As enforced: a policy that can't be enforced denies. */
  readonly action: "CUSTOM" | "AUDIT" | "DENY" | "ALLOW";
  /** Who is asked by a CUSTOM policy, and whether MeshConfig has such a provider; else null. */
  readonly provider: { readonly name: string; readonly isKnown: boolean } | null;
  /** Evaluated and recorded, never enforced. */
  readonly dryRun: boolean;
  /** Why the policy can't be enforced as written, and so denies; else empty. */
  readonly unenforceable: string;
  /** false: the request was answered before. `rules` is empty then. */
  readonly evaluated: boolean;
  readonly matches: boolean;
  readonly rules: readonly RuleExplanation[];
}

export interface RuleExplanation {
  /** `ns[foo]-policy[bar]-rule[0]` */
  readonly id: string;
  readonly index: number;
  readonly matches: boolean;
  /** Whether this rule decided the answer. */
  readonly decides: boolean;
  /** One of these must match, if there are any. */
  readonly from: readonly GroupExplanation[];
  /** One of these must match, if there are any. */
  readonly to: readonly GroupExplanation[];
  /** All of these must hold. */
  readonly when: readonly ConditionExplanation[];
  readonly firstFailed: ConditionExplanation | null;
}

/** One `source` or `operation`: all of its conditions must hold. */
export interface GroupExplanation {
  readonly matches: boolean;
  readonly conditions: readonly ConditionExplanation[];
}

export interface ConditionExplanation {
  /** Where it stands in the rule or match: `when[0].request.auth.claims[groups]`; the first of its lists, if it has two. */
  readonly field: string;
  readonly holds: boolean;
  /** As in the policy. One of `anyOf` must match (if there are any), none of `noneOf` may. */
  readonly expected: { readonly anyOf: readonly string[]; readonly noneOf: readonly string[] };
  readonly actual: ActualValue;
}

/** What the request has there. */
export interface ActualValue {
  /** Empty: nothing. Long lists and texts are cut, secrets stand as `[redacted]`. */
  readonly values: readonly string[];
  /** Why there is nothing, or why it can't match, in words; empty where `values` say it all. */
  readonly note: string;
}

export interface RouteExplanation {
  /**
   * `notAGateway`: routing is not our business. `notReached`: the request was answered before. `unknownHost`: no VirtualService has the
   * host. `httpsRedirect`: the Gateway's server sends plain requests to https. `noRoute`: none of the host's routes matches.
   */
  readonly outcome: "notAGateway" | "notReached" | "unknownHost" | "httpsRedirect" | "noRoute" | "chosen";
  /** The host entry that the request's host fell under, e.g. `*.example.com`. */
  readonly host: string | null;
  /** Hosts that this gateway serves at this port; only with `unknownHost`. */
  readonly knownHosts: readonly string[];
  /** `namespace/virtualservice/name-or-index` */
  readonly chosen: string | null;
  /** What Envoy is told: `host[:port][/subset]`, or the id of the route where your own routes are used. */
  readonly destination: string | null;
  /** In the order in which they are tried, up to the chosen one. */
  readonly candidates: readonly RouteCandidate[];
}

export interface RouteCandidate {
  readonly id: string;
  readonly virtualService: ObjectName;
  /** Position in spec.http, and of the match entry in it; null: the route has no match entries. */
  readonly route: number;
  readonly match: number | null;
  readonly matches: boolean;
  readonly conditions: readonly ConditionExplanation[];
}
