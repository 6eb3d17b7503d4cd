import { type EnvoyBootstrap, type EnvoyProcess, startEnvoy } from "../support/envoy.ts";
import { buildEnvoyBootstrap } from "../support/envoy-config.ts";
import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { LABELS, NAMESPACE } from "./check-requests.ts";

/** An Envoy that asks a Gatehouse, and answers what may pass by itself. */
export function startEnvoyWithExtAuthz(authzPort: number): Promise<EnvoyProcess> {
  return startEnvoy(withoutUpstream(bootstrap(authzPort), (filters) => filters));
}

/** An Envoy that decides by its own jwt_authn and rbac filters, configured as Istio does for the same policy. */
export function startEnvoyWithOwnFilters(): Promise<EnvoyProcess> {
  return startEnvoy(withoutUpstream(bootstrap(1), (filters) => [JWT_AUTHN, RBAC, ...filters.slice(-1)]));
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
        local_jwks: { inline_string: publicJwks("rsa-2048") },
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

const RBAC = {
  name: "envoy.filters.http.rbac",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC",
    rules: {
      policies: {
        "ns[foo]-policy[require-jwt]-rule[0]": {
          permissions: [{ any: true }],
          principals: [{ and_ids: { ids: [claimIs("iss"), claimIs("sub")] } }],
        },
      },
    },
  },
};

function claimIs(name: string): object {
  return {
    metadata: {
      filter: "envoy.filters.http.jwt_authn",
      path: [{ key: "payload" }, { key: name }],
      value: { string_match: { exact: TEST_ISSUER } },
    },
  };
}
