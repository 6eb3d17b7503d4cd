import { type EnvoyBootstrap, type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap } from "../support/envoy-config.ts";
import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { LABELS, NAMESPACE } from "./check-requests.ts";

/** An Envoy that asks nobody: what it costs by itself. */
export function startPlainEnvoy(): Promise<EnvoyProcess> {
  return startEnvoy(withoutUpstream(bootstrap(1), (filters) => filters.slice(-1)));
}

/** An Envoy that asks an authorizer. */
export function startEnvoyWithExtAuthz(authzPort: number): Promise<EnvoyProcess> {
  return startEnvoy(withoutUpstream(bootstrap(authzPort), (filters) => filters));
}

/** An Envoy that decides by its own jwt_authn and rbac filters, configured as Istio does for `requireJwtPolicies`. */
export function startEnvoyWithOwnFilters(): Promise<EnvoyProcess> {
  return startWithFilters({
    "ns[foo]-policy[require-jwt]-rule[0]": { permissions: [{ any: true }], principals: [TEST_PRINCIPAL] },
    "ns[foo]-policy[require-jwt]-rule[1]": { permissions: [pathPrefix("/public/")], principals: [{ any: true }] },
  });
}

/** The same for `servicePolicies`. */
export function startEnvoyWithOwnServicePolicies(count: number): Promise<EnvoyProcess> {
  const policies = Array.from({ length: count }, (_, n) => [
    `ns[foo]-policy[service-${n}]-rule[0]`,
    {
      permissions: [{ and_rules: { rules: [GET, pathPrefix(`/api/service-${n}/`)] } }],
      principals: [TEST_PRINCIPAL],
    },
  ]);
  return startWithFilters(Object.fromEntries(policies));
}

function startWithFilters(policies: object): Promise<EnvoyProcess> {
  const rbac = {
    name: "envoy.filters.http.rbac",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
      rules: { policies },
    },
  };
  return startEnvoy(withoutUpstream(bootstrap(1), (filters) => [JWT_AUTHN, rbac, ...filters.slice(-1)]));
}

function bootstrap(authzPort: number): EnvoyBootstrap {
  return buildEnvoyBootstrap({
    authzPort,
    clusters: new Map([["unused", 1]]),
    listeners: [
      {
        name: "bench",
        profile: "istio-sidecar",
        identity: { namespace: NAMESPACE, labels: LABELS },
        localCluster: "unused",
      },
    ],
  });
}

type Filters = readonly unknown[];

/** Replaces the routes by one direct answer, so that no upstream is measured, and changes the HTTP filters. */
function withoutUpstream(config: EnvoyBootstrap, change: (filters: Filters) => Filters): EnvoyBootstrap {
  return JSON.parse(JSON.stringify(config), (key, value) => {
    if (key === "http_filters") return change(value);
    if (key === "routes") return [{ match: { prefix: "/" }, direct_response: { status: 200 } }];
    return value;
  });
}

const JWT_AUTHN = {
  name: "envoy.filters.http.jwt_authn",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication",
    providers: {
      "origins-0": {
        issuer: TEST_ISSUER,
        local_jwks: { inline_string: publicJwks("rsa-2048", "ec-p256", "ed25519") },
        payload_in_metadata: "payload",
        normalize_payload_in_metadata: { space_delimited_claims: ["scope", "permission"] },
      },
    },
    rules: [
      {
        match: { prefix: "/" },
        requires: { requires_any: { requirements: [{ provider_name: "origins-0" }, { allow_missing: {} }] } },
      },
    ],
    bypass_cors_preflight: true,
  },
};

const TEST_PRINCIPAL = { and_ids: { ids: [claimIs("iss"), claimIs("sub")] } };
const GET = { or_rules: { rules: [{ header: { name: ":method", string_match: { exact: "GET" } } }] } };

function pathPrefix(prefix: string): object {
  return { or_rules: { rules: [{ url_path: { path: { prefix } } }] } };
}

function claimIs(name: string): object {
  return {
    metadata: {
      filter: "envoy.filters.http.jwt_authn",
      path: [{ key: "payload" }, { key: name }],
      value: { string_match: { exact: TEST_ISSUER } },
    },
  };
}
