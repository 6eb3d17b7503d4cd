/** The parts of the objects that the generator writes, as the oracle reads them. */
export interface JwtRuleSpec {
  readonly issuer: string;
  readonly jwks: string;
  readonly audiences?: readonly string[];
  readonly fromHeaders?: readonly { readonly name: string; readonly prefix?: string }[];
  readonly fromParams?: readonly string[];
  readonly fromCookies?: readonly string[];
  readonly outputPayloadToHeader?: string;
  readonly outputClaimToHeaders?: readonly { readonly header: string; readonly claim: string }[];
  readonly forwardOriginalToken?: boolean;
  readonly spaceDelimitedClaims?: readonly string[];
  readonly presence?: "OPTIONAL" | "REQUIRED";
}

export interface AuthorizationSpec {
  readonly action: "ALLOW" | "DENY" | "AUDIT";
  readonly rules?: readonly RuleSpec[];
}

export interface RuleSpec {
  readonly from?: readonly { readonly source: Fields }[];
  readonly to?: readonly { readonly operation: Fields }[];
  readonly when?: readonly ConditionSpec[];
}

/** Lists of values by field name. */
export type Fields = Readonly<Record<string, readonly string[]>>;

export interface ConditionSpec {
  readonly key: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

export interface VirtualServiceSpec {
  readonly hosts: readonly string[];
  readonly http: readonly HttpRouteSpec[];
}

export interface HttpRouteSpec {
  readonly match?: readonly HttpMatchSpec[];
  readonly route?: readonly [{ readonly destination: DestinationSpec }];
  readonly redirect?: RedirectSpec;
  readonly directResponse?: { readonly status: number; readonly body: { readonly string: string } };
  readonly rewrite?: { readonly uri?: string; readonly authority?: string };
  readonly headers?: { readonly request?: HeaderOperationsSpec; readonly response?: HeaderOperationsSpec };
  readonly corsPolicy?: CorsSpec;
  readonly fault?: {
    readonly abort: { readonly httpStatus: number; readonly percentage?: { readonly value: number } };
  };
}

export interface RedirectSpec {
  readonly uri?: string;
  readonly authority?: string;
  readonly scheme?: string;
  readonly port?: number;
  readonly redirectCode?: number;
}

export interface DestinationSpec {
  readonly host: string;
  readonly port: { readonly number: number };
  readonly subset?: string;
}

export interface HeaderOperationsSpec {
  readonly set?: Readonly<Record<string, string>>;
  readonly add?: Readonly<Record<string, string>>;
  readonly remove?: readonly string[];
}

export interface CorsSpec {
  readonly allowOrigins: readonly StringMatchSpec[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly maxAge?: string;
  readonly allowCredentials?: boolean;
  readonly unmatchedPreflights?: "FORWARD" | "IGNORE";
}

export interface HttpMatchSpec {
  readonly uri?: StringMatchSpec;
  readonly ignoreUriCase?: boolean;
  readonly method?: StringMatchSpec;
  readonly scheme?: StringMatchSpec;
  readonly authority?: StringMatchSpec;
  readonly headers?: Readonly<Record<string, StringMatchSpec>>;
  readonly withoutHeaders?: Readonly<Record<string, StringMatchSpec>>;
  readonly queryParams?: Readonly<Record<string, StringMatchSpec>>;
}

/** At most one member; none: presence. */
export interface StringMatchSpec {
  readonly exact?: string;
  readonly prefix?: string;
  readonly regex?: string;
}
