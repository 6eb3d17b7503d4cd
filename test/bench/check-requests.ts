import { loadExtAuthz } from "@gatehouse/protos/wire";

/** Namespace, labels and policy of the first of Istio's JWT documents: only tokens of the test issuer may pass, but for /public/. */
export const NAMESPACE = "foo";
export const LABELS = { app: "httpbin" };
export const HOST = "httpbin.foo.example.com";

/** RequestAuthentication and AuthorizationPolicy as YAML. @param jwks public keys as JSON text */
export function requireJwtPolicies(jwks: string): string {
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt-example, namespace: ${NAMESPACE} }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules:
    - issuer: testing@secure.istio.io
      jwks: '${jwks}'
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: require-jwt, namespace: ${NAMESPACE} }
spec:
  selector: { matchLabels: { app: httpbin } }
  action: ALLOW
  rules:
    - from:
        - source:
            requestPrincipals: ["testing@secure.istio.io/testing@secure.istio.io"]
    - to:
        - operation: { paths: ["/public/*"] }
`;
}

/** What Envoy sends as gRPC metadata with each check: who it is. */
export const METADATA: Readonly<Record<string, string>> = {
  "gatehouse-namespace": NAMESPACE,
  "gatehouse-labels": Object.entries(LABELS)
    .map(([name, value]) => `${name}=${value}`)
    .join(","),
};

/** Headers of a browser's request with a token, or without. */
export function requestHeaders(token: string): Readonly<Record<string, string>> {
  return {
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language": "en-US,en;q=0.5",
    "cache-control": "no-cache",
    ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
  };
}

/** The bytes of Envoy's CheckRequest for a GET with this token. */
export function checkRequestEncoder(): (token: string, path?: string) => Uint8Array {
  const encode = loadExtAuthz().service.Check.requestSerialize;
  return (token, path = "/headers") =>
    encode({
      attributes: {
        source: peer("127.0.0.1", 40_000),
        destination: peer("127.0.0.1", 8080),
        request: {
          time: { seconds: 1_800_000_000, nanos: 0 },
          http: {
            id: "8472113264861742069",
            method: "GET",
            path,
            host: HOST,
            scheme: "http",
            protocol: "HTTP/1.1",
            headerMap: {
              headers: [
                ...Object.entries({
                  ":authority": HOST,
                  ":path": path,
                  ":method": "GET",
                  ":scheme": "http",
                  ...requestHeaders(token),
                  "x-forwarded-proto": "http",
                  "x-request-id": "0a5b1f2c-9f0e-4c1d-8e6f-2b7a4c9d1e3f",
                }).map(([key, value]) => ({ key, rawValue: Buffer.from(value) })),
              ],
            },
          },
        },
      },
    });
}

function peer(address: string, portValue: number): { readonly address: object } {
  return { address: { socketAddress: { address, portValue } } };
}
