import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { HOST, METADATA, NAMESPACE, requireJwtPolicies } from "./check-requests.ts";
import { authorizationPolicy, requestAuthentication } from "./flat-cost.ts";

/** The policy of most rows, and a gateway that routes by claim. */
export function basicPolicies(): string {
  const jwks = publicJwks("rsa-2048", "ec-p256", "ed25519");
  return `${requireJwtPolicies(jwks)}---${gatewayPolicies(jwks)}`;
}

/** What an Envoy of the gateway says about itself. */
export const GATEWAY_METADATA: Readonly<Record<string, string>> = {
  ...METADATA,
  "gatehouse-labels": "istio=ingressgateway",
  "gatehouse-gateways": `${NAMESPACE}/gateway`,
};

function gatewayPolicies(jwks: string): string {
  const route = (group: string): string => `
    - match:
        - uri: { prefix: / }
          headers: { "@request.auth.claims.groups": { exact: ${group} } }
      route:
        - destination: { host: httpbin, port: { number: 8000 }, subset: ${group} }`;
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ingress, namespace: ${NAMESPACE} }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${jwks}'
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: gateway, namespace: ${NAMESPACE} }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: by-group, namespace: ${NAMESPACE} }
spec:
  hosts: [${HOST}]
  gateways: [gateway]
  http:${["group1", "group2", "group3"].map(route).join("")}
`;
}

/** So many policies of one workload: each lets one service's paths pass, with a token. */
export function servicePolicies(count: number): readonly object[] {
  const policy = (n: number): object =>
    authorizationPolicy(`service-${n}`, {
      rules: [
        {
          from: [{ source: { requestPrincipals: [`${TEST_ISSUER}/${TEST_ISSUER}`] } }],
          to: [{ operation: { methods: ["GET"], paths: [`/api/service-${n}/*`] } }],
        },
      ],
    });
  return [
    requestAuthentication("jwt", [{ issuer: TEST_ISSUER, jwks: publicJwks() }]),
    ...Array.from({ length: count }, (_, n) => policy(n)),
  ];
}

/** 64 paths that these policies let pass, evenly spread over them: as many for few policies as for many. */
export function servicePaths(count: number): readonly string[] {
  return Array.from({ length: PATHS }, (_, i) => `/api/service-${Math.floor((i * count) / PATHS)}/items/${i}`);
}

const PATHS = 64;

/** So many issuers of one workload; that of the tests is the last. */
export function issuerPolicies(count: number): readonly object[] {
  const others = Array.from({ length: count - 1 }, (_, n) => `https://issuer-${n}.example.com`);
  return [
    requestAuthentication(
      "issuers",
      [...others, TEST_ISSUER].map((issuer) => ({ issuer, jwks: publicJwks() })),
    ),
    authorizationPolicy("all", { rules: [{ from: [{ source: { requestPrincipals: [`${TEST_ISSUER}/*`] } }] }] }),
  ];
}
