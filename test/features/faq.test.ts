import { afterAll, beforeAll, describe, it } from "vitest";
import {
  type Expected,
  type FeatureStack,
  HTTPBIN_APP,
  HTTPBIN_CLUSTER,
  startFeatureStack,
} from "../support/feature-stack.ts";
import { ALGORITHMS, demoToken, mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";

const DENIED: Expected = { status: 403, body: "RBAC: access denied" };

const KEYS = publicJwks("rsa-2048", "rsa-3072", "ec-p256", "ec-p384", "ec-p521", "oct-512", "ed25519");

const EVERY_ALGORITHM = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt-example, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${KEYS}'
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: require-jwt, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  rules:
    - from: [{ source: { requestPrincipals: ["*"] } }]
`;

const DOUBLE_NEGATION = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt-example, namespace: istio-system }
spec:
  selector: { matchLabels: { app: istio-ingressgateway } }
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${publicJwks()}'
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: test-exclude, namespace: istio-system }
spec:
  selector: { matchLabels: { app: istio-ingressgateway } }
  action: DENY
  rules:
    - from: [{ source: { notRequestPrincipals: ["*"] } }]
      to: [{ operation: { notPaths: ["/productpage"] } }]
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: httpbin-gateway, namespace: foo }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: everything, namespace: foo }
spec:
  hosts: ["*"]
  gateways: [httpbin-gateway]
  http:
    - route:
        - destination: { host: httpbin, port: { number: 8000 } }
`;

describe("the questions that users ask", () => {
  let stack: FeatureStack;
  let demo: string;

  beforeAll(async () => {
    [stack, demo] = await Promise.all([startFeatureStack(), demoToken()]);
  });
  afterAll(() => stack?.stop());

  describe("which algorithms are accepted, with keys written into the policy", () => {
    beforeAll(() => stack.gatehouse.apply(EVERY_ALGORITHM));

    it.each(ALGORITHMS)("%s, with the key named or not", async (alg) => {
      const named = await mintTestToken({}, { alg });
      await stack.expect({ at: "httpbin", token: named }, { status: 200, upstream: HTTPBIN_APP });
      const unnamed = await mintTestToken({}, { alg, kid: null });
      await stack.expect({ at: "httpbin", token: unnamed }, { status: 200, upstream: HTTPBIN_APP });
    });

    it.each(ALGORITHMS)("%s, but not with a changed payload", async (alg) => {
      const [header, , signature] = (await mintTestToken({}, { alg })).split(".");
      const payload = Buffer.from(JSON.stringify({ iss: TEST_ISSUER, sub: "admin", exp: 4_102_444_800 })).toString(
        "base64url",
      );
      await stack.expect(
        { at: "httpbin", token: `${header}.${payload}.${signature}` },
        {
          status: 401,
          body: "Jwt verification fails",
          authenticate: 'Bearer realm="http://httpbin.example.com/headers", error="invalid_token"',
        },
      );
    });

    it("none is not an algorithm", async () => {
      const [, payload, signature] = demo.split(".");
      const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString("base64url");
      const refused: Expected = {
        status: 401,
        body: "Jwt header [alg] is not supported",
        authenticate: 'Bearer realm="http://httpbin.example.com/headers", error="invalid_token"',
      };
      await stack.expect({ at: "httpbin", token: `${header}.${payload}.${signature}` }, refused);
      await stack.expect(
        { at: "httpbin", token: `${header}.${payload}.` },
        { ...refused, body: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections" },
      );
    });
  });

  it("lets only one path through without a token, by a policy of two negations", async () => {
    await stack.gatehouse.apply(DOUBLE_NEGATION);
    const served: Expected = { status: 200, upstream: HTTPBIN_CLUSTER };
    await stack.expect({ at: "ingress", path: "/productpage" }, served);
    await stack.expect({ at: "ingress", path: "/productpage", token: demo }, served);
    await stack.expect({ at: "ingress", path: "/api/v1/products" }, DENIED);
    await stack.expect({ at: "ingress", path: "/api/v1/products", token: demo }, served);
    await stack.expect({ at: "ingress", path: "/productpage/.." }, DENIED);
    await stack.expect({ at: "ingress", path: "/productpage2" }, DENIED);
  });
});
