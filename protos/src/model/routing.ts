import type { Labels, ObjectMeta } from "./resource.ts";
import type { StringMatch } from "./string-match.ts";

/**
 * HTTP routes for some hosts at some gateways.
 * @see https://istio.io/latest/docs/reference/config/networking/virtual-service/
 */
export interface VirtualService {
  readonly kind: "VirtualService";
  readonly meta: ObjectMeta;
  /** Lower case, short names made whole; may start or end with `*`. Empty means a delegate. */
  readonly hosts: readonly string[];
  /** `namespace/name`, or `mesh`. */
  readonly gateways: readonly string[];
  /** `*`, `.`, `~` or namespaces. Empty means `*`. */
  readonly exportTo: readonly string[];
  /** In order. Routes that could not be translated are left out: their requests get 404, never another route by accident. */
  readonly http: readonly HttpRoute[];
  /** Routes were left out, so the hosts are served even where no route is left: a wider host must not answer in their place. */
  readonly keepsHosts: boolean;
  /** Hosts that belong to another namespace: its routes are not used there, and requests that nobody else answers get 404. */
  readonly refusedHosts: readonly GatewayHost[];
}

/** A host at one gateway. */
export interface GatewayHost {
  /** `namespace/name` */
  readonly gateway: string;
  /** What a server of the Gateway and the VirtualService have in common. */
  readonly host: string;
}

/** One entry of `http`. */
export interface HttpRoute {
  /** Position in spec.http, zero-based. */
  readonly index: number;
  readonly name: string;
  /** OR-ed; empty matches everything. */
  readonly match: readonly HttpMatch[];
  readonly action: RouteAction;
  /** Request header operations of the route. */
  readonly requestHeaders: HeaderOperations;
  readonly responseHeaders: HeaderOperations;
  readonly rewrite: Rewrite | null;
  /** null: not set. 0 disables. */
  readonly timeoutMs: number | null;
  readonly retries: Retries | null;
  readonly fault: Fault | null;
  readonly cors: CorsPolicy | null;
}

/** Conditions of one match entry, AND-ed. A null condition holds for every request. */
export interface HttpMatch {
  readonly name: string;
  readonly uri: StringMatch | null;
  readonly ignoreUriCase: boolean;
  readonly scheme: StringMatch | null;
  readonly method: StringMatch | null;
  readonly authority: StringMatch | null;
  readonly headers: readonly HeaderMatch[];
  readonly withoutHeaders: readonly HeaderMatch[];
  readonly claims: readonly ClaimMatch[];
  readonly withoutClaims: readonly ClaimMatch[];
  readonly queryParams: readonly QueryParamMatch[];
  /** Port of the Gateway server; 0 is any. */
  readonly port: number;
  /** `namespace/name`; non-empty replaces the VirtualService's list. */
  readonly gateways: readonly string[];
  /** Compared with the labels of the gateway workload itself. */
  readonly sourceLabels: Labels;
  readonly sourceNamespace: string;
}

/** A match entry without conditions. */
export const NO_CONDITIONS: HttpMatch = {
  name: "",
  uri: null,
  ignoreUriCase: false,
  scheme: null,
  method: null,
  authority: null,
  headers: [],
  withoutHeaders: [],
  claims: [],
  withoutClaims: [],
  queryParams: [],
  port: 0,
  gateways: [],
  sourceLabels: [],
  sourceNamespace: "",
};

/** Name in lower case, or a pseudo header. */
export interface HeaderMatch {
  readonly name: string;
  readonly match: StringMatch;
}

/** `@request.auth.claims...`; `present` never matches (as in Istio). */
export interface ClaimMatch {
  readonly path: readonly string[];
  readonly match: StringMatch;
}

/** Compared with the first value of the parameter, not percent-decoded. */
export interface QueryParamMatch {
  readonly name: string;
  readonly match: StringMatch;
}

export type RouteAction =
  | { readonly kind: "route"; readonly destinations: readonly Destination[] }
  | {
      readonly kind: "redirect";
      readonly uri: string;
      readonly authority: string;
      readonly scheme: string;
      /** null: derive from the request. `derivePort` says how. */
      readonly port: number | null;
      readonly derivePort: "FROM_PROTOCOL_DEFAULT" | "FROM_REQUEST_PORT";
      readonly code: number;
    }
  | { readonly kind: "directResponse"; readonly status: number; readonly body: string }
  | { readonly kind: "delegate"; readonly namespace: string; readonly name: string };

/** One weighted destination; host is a full name. Port 0: not given. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly subset: string;
  readonly weight: number;
  readonly requestHeaders: HeaderOperations;
  readonly responseHeaders: HeaderOperations;
}

/** Names in lower case. Applied in this order: remove, set, add. */
export interface HeaderOperations {
  readonly set: Labels;
  readonly add: Labels;
  readonly remove: readonly string[];
}

export interface Rewrite {
  /** Replaces the matched prefix, or the whole path of an exact or regex match; null: path kept. */
  readonly uri: string | null;
  readonly uriRegex: { readonly match: string; readonly rewrite: string } | null;
  /** Empty: kept. */
  readonly authority: string;
}

export interface Retries {
  readonly attempts: number;
  /** 0: not given. */
  readonly perTryTimeoutMs: number;
  readonly retryOn: string;
}

/** Percentages are 0-100, fractions allowed. */
export interface Fault {
  readonly abort: { readonly status: number; readonly percentage: number } | null;
  readonly delay: { readonly delayMs: number; readonly percentage: number } | null;
}

export interface CorsPolicy {
  readonly allowOrigins: readonly StringMatch[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  /** null: not set. */
  readonly maxAgeSec: number | null;
  /** null: not set. */
  readonly allowCredentials: boolean | null;
  readonly unmatchedPreflights: "FORWARD" | "IGNORE";
}

/** Read for name, selector, servers' ports and hosts. */
export interface Gateway {
  readonly kind: "Gateway";
  readonly meta: ObjectMeta;
  readonly selector: Labels;
  readonly servers: readonly GatewayServer[];
}

export interface GatewayServer {
  readonly port: number;
  readonly protocol: string;
  /** As written: `host` or `namespace/host`; lower case. */
  readonly hosts: readonly string[];
  readonly httpsRedirect: boolean;
}
