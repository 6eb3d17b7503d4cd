/** A rule of the property: its tokens are of `issuer`, and all carry the claim `who`, which it writes to `x-who`. */
export interface RuleModel {
  readonly issuer: string;
  readonly audience: string | null;
  readonly keepsToken: boolean;
  readonly headers: readonly { readonly name: string; readonly prefix: string }[];
  readonly params: readonly string[];
  readonly cookies: readonly string[];
}

/** A token before it is signed. `text`: none at all, but this. */
export interface TokenModel {
  readonly kind: "good" | "expired" | "forged" | "text";
  readonly issuer: string;
  readonly audience: string | null;
  readonly who: string;
}

/** Where tokens stand in a request. No parameter or cookie is there twice. */
export interface RequestModel {
  readonly headers: readonly Placed[];
  readonly params: readonly Placed[];
  readonly cookies: readonly Placed[];
}

export interface Placed {
  readonly name: string;
  /** In front of the token; of headers. */
  readonly prefix: string;
  readonly token: TokenModel;
}

export interface AuthenticationModel {
  /** What the client is told; null: the request goes on. */
  readonly failure: string | null;
  /** Lines of `x-who`, in order; the claims are those of the last. */
  readonly who: readonly string[];
  readonly left: RequestModel;
}

const OK = "";
const MISSED = "Jwt is missing";
const UNKNOWN = "Jwt issuer is not configured";

/**
 * What Envoy's jwt_authn does with the requirement that Istio writes, `any{P0, ..., all{any{P0, missing}, ...}}`, told step by step on a
 * request that changes on the way: without index, without memory, and without a line of the engine.
 * @param rules in any order
 */
export function referenceAuthenticates(rules: readonly RuleModel[], request: RequestModel): AuthenticationModel {
  const providers = rules.toSorted((a, b) => (a.issuer < b.issuer ? -1 : Number(a.issuer > b.issuer)));
  let left = request;
  let who: readonly string[] = [];
  const ask = (rule: RuleModel): string => {
    who = [];
    let status = MISSED;
    for (const { place, kind, index } of tokensOf(rule, left).toReversed()) {
      status = verify(rule, place.token);
      if (status !== OK) return status;
      who = [...who, place.token.who];
      if (!rule.keepsToken) left = without(left, kind, index);
    }
    return status;
  };
  const orMissing = (rule: RuleModel) => (): string => {
    const status = ask(rule);
    return status === MISSED ? OK : status;
  };
  const all = () => firstFailure(providers.map(orMissing));
  const [only] = providers;
  const isAlone = providers.length === 1 && only !== undefined;
  const status = isAlone ? orMissing(only)() : any([...providers.map((rule) => () => ask(rule)), all]);
  return { failure: status === OK ? null : status, who, left };
}

function any(children: readonly (() => string)[]): string {
  let final = MISSED;
  for (const child of children) {
    const status = child();
    if (status === OK) return OK;
    if ((status !== MISSED && status !== UNKNOWN) || final === MISSED) final = status;
  }
  return final;
}

function firstFailure(children: readonly (() => string)[]): string {
  for (const child of children) {
    const status = child();
    if (status !== OK) return status;
  }
  return OK;
}

function verify(rule: RuleModel, { kind, issuer, audience }: TokenModel): string {
  if (kind === "text") return "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections";
  if (issuer !== rule.issuer) return UNKNOWN;
  if (kind === "expired") return "Jwt is expired";
  if (rule.audience !== null && rule.audience !== audience) return "Audiences in Jwt are not allowed";
  return kind === "forged" ? "Jwt verification fails" : OK;
}

type Kind = "headers" | "params" | "cookies";

interface Found {
  readonly place: Placed;
  readonly kind: Kind;
  readonly index: string;
}

/** Headers by name and prefix, then parameters, then cookies by name. */
function tokensOf(rule: RuleModel, { headers, params, cookies }: RequestModel): readonly Found[] {
  const isDefault = rule.headers.length + rule.params.length + rule.cookies.length === 0;
  const wanted = isDefault ? [{ name: "authorization", prefix: "Bearer " }] : rule.headers;
  const wantedParams = isDefault ? ["access_token"] : rule.params;
  const found = (kind: Kind, places: readonly Placed[]): readonly Found[] =>
    places.map((place) => ({ place, kind, index: place.name }));
  return [
    ...wanted
      .toSorted((a, b) => (a.name + a.prefix < b.name + b.prefix ? -1 : 1))
      .flatMap(({ name, prefix }) =>
        found(
          "headers",
          headers.filter((line) => line.name === name && line.prefix === prefix),
        ),
      ),
    ...wantedParams.toSorted().flatMap((name) =>
      found(
        "params",
        params.filter((param) => param.name === name),
      ),
    ),
    ...rule.cookies.toSorted().flatMap((name) =>
      found(
        "cookies",
        cookies.filter((cookie) => cookie.name === name),
      ),
    ),
  ];
}

/** A header goes with all of its lines, a cookie stays. */
function without(request: RequestModel, kind: Kind, name: string): RequestModel {
  if (kind === "cookies") return request;
  return { ...request, [kind]: request[kind].filter((place) => place.name !== name) };
}
