import type { JwtRuleSpec } from "./spec.ts";
import type { Config } from "./string-matcher.ts";

/**
 * The jwt_authn filter that Istio makes of the rules of all RequestAuthentications of a workload; undefined without any.
 * @param rules of the workload's namespace, then of the root namespace, oldest object first
 */
export function jwtAuthnFilter(rules: readonly JwtRuleSpec[], isGateway: boolean): Config | undefined {
  if (rules.length === 0) return undefined;
  // By issuer, in the order of bytes; rules of one issuer keep their order and stay separate providers.
  const sorted = rules.toSorted((a, b) => Buffer.compare(Buffer.from(a.issuer), Buffer.from(b.issuer)));
  const providers = Object.fromEntries(sorted.map((rule, index) => [`origins-${index}`, provider(rule, isGateway)]));
  return {
    name: "envoy.filters.http.jwt_authn",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
      providers,
      rules: [{ match: { prefix: "/" }, requires: requirement(sorted) }],
      bypass_cors_preflight: true,
    },
  };
}

function provider(rule: JwtRuleSpec, isGateway: boolean): Config {
  return {
    issuer: rule.issuer,
    audiences: rule.audiences ?? [],
    local_jwks: { inline_string: usableKeys(rule.jwks) },
    from_headers: (rule.fromHeaders ?? []).map(({ name, prefix }) => ({ name, value_prefix: prefix ?? "" })),
    from_params: rule.fromParams ?? [],
    from_cookies: rule.fromCookies ?? [],
    forward: rule.forwardOriginalToken ?? false,
    forward_payload_header: rule.outputPayloadToHeader ?? "",
    claim_to_headers: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({
      header_name: header,
      claim_name: claim,
    })),
    payload_in_metadata: "payload",
    normalize_payload_in_metadata: {
      space_delimited_claims: [...new Set(["scope", "permission", ...(rule.spaceDelimitedClaims ?? [])])].sort(),
    },
    // Only gateways choose the route again, so that it can depend on claims.
    clear_route_cache: isGateway,
  };
}

function requirement(rules: readonly JwtRuleSpec[]): Config {
  const names = rules.map((_, index) => ({ provider_name: `origins-${index}` }));
  const orMissing = names.map((name) => anyOf([name, { allow_missing: {} }]));
  const [only] = names;
  // docs/differences.md presence-required; the generator sets it on single rules only.
  if (rules.length === 1 && only !== undefined) {
    return rules[0]?.presence === "REQUIRED" ? only : anyOf([only, { allow_missing: {} }]);
  }
  // Istio: some provider accepts, or each accepts or finds nothing.
  return anyOf([...names, { requires_all: { requirements: orMissing } }]);
}

function anyOf(requirements: readonly Config[]): Config {
  return { requires_any: { requirements } };
}

/** docs/differences.md key-use: a key for something else than verification is left out. */
function usableKeys(jwks: string): string {
  const { keys }: { readonly keys: readonly Config[] } = JSON.parse(jwks);
  return JSON.stringify({ keys: keys.filter((key) => key["use"] !== "enc") });
}
