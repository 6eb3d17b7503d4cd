import { afterAll, beforeAll, describe, it } from "vitest";
import { type Expected, type FeatureStack, HTTPBIN_CLUSTER, startFeatureStack } from "../support/feature-stack.ts";
import { demoToken, groupsScopeToken, mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";

const INVALID: Expected = {
  status: 401,
  body: "Jwt header is an invalid JSON",
  authenticate: 'Bearer realm="http://httpbin.example.com/headers", error="invalid_token"',
};
const NOT_FOUND: Expected = { status: 404, body: "" };
const DENIED: Expected = { status: 403, body: "RBAC: access denied" };
const ROUTED: Expected = { status: 200, upstream: HTTPBIN_CLUSTER };

const INGRESS_JWT = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ingress-jwt, namespace: istio-system }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${publicJwks()}'
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: httpbin-gateway, namespace: foo }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*"]
`;

/** A VirtualService that routes /headers when the claim header matches. */
function routeWhen(claimHeader: string, match: string, version = "v1"): string {
  return `${INGRESS_JWT}
---
apiVersion: networking.istio.io/${version}
kind: VirtualService
metadata: { name: httpbin, namespace: foo }
spec:
  hosts: ["*"]
  gateways: [httpbin-gateway]
  http:
    - match:
        - uri: { prefix: /headers }
          headers:
            "${claimHeader}": { ${match} }
      route:
        - destination: { host: httpbin, port: { number: 8000 } }
`;
}

const REQUIRE_TOKEN = `
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: require-jwt, namespace: istio-system }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  action: ALLOW
  rules:
    - from: [{ source: { requestPrincipals: ["*"] } }]
`;

describe("claim routing", () => {
  let stack: FeatureStack;
  let demo: string;
  let groupsScope: string;

  beforeAll(async () => {
    [stack, demo, groupsScope] = await Promise.all([startFeatureStack(), demoToken(), groupsScopeToken()]);
  });
  afterAll(() => stack?.stop());

  it.each(["v1", "v1beta1", "v1alpha3"])("routes by a claim with networking.istio.io/%s", async (version) => {
    await stack.gatehouse.apply(routeWhen("@request.auth.claims.groups", "exact: group1", version));
    await stack.expect({ at: "ingress" }, NOT_FOUND);
    await stack.expect({ at: "ingress", token: "some.invalid.token" }, INVALID);
    await stack.expect({ at: "ingress", token: groupsScope }, ROUTED);
    await stack.expect({ at: "ingress", token: demo }, NOT_FOUND);
    await stack.expect({ at: "ingress", token: groupsScope, path: "/headers/more?x=1" }, ROUTED);
    await stack.expect({ at: "ingress", token: groupsScope, path: "/ip" }, NOT_FOUND);
  });

  it("answers 401 to an invalid token on a path that no route has", async () => {
    await stack.gatehouse.apply(routeWhen("@request.auth.claims.groups", "exact: group1"));
    const authenticate = 'Bearer realm="http://httpbin.example.com/nowhere", error="invalid_token"';
    await stack.expect({ at: "ingress", token: "some.invalid.token", path: "/nowhere" }, { ...INVALID, authenticate });
  });

  it("answers 403 in place of 404 once an AuthorizationPolicy requires a token", async () => {
    await stack.gatehouse.apply(routeWhen("@request.auth.claims.groups", "exact: group1") + REQUIRE_TOKEN);
    await stack.expect({ at: "ingress" }, DENIED);
    await stack.expect({ at: "ingress", token: "some.invalid.token" }, INVALID);
    await stack.expect({ at: "ingress", token: groupsScope }, ROUTED);
    await stack.expect({ at: "ingress", token: demo }, NOT_FOUND);
  });

  it.each([
    ["a nested claim by dots", "@request.auth.claims.name.givenName", { name: { givenName: "Ann" } }, "Ann"],
    ["a nested claim by brackets", "@request.auth.claims[name][givenName]", { name: { givenName: "Ann" } }, "Ann"],
    [
      "a list inside a nested claim",
      "@request.auth.claims.realm.roles",
      { realm: { roles: ["user", "admin"] } },
      "admin",
    ],
    ["a claim name with dots by brackets", "@request.auth.claims[a.b]", { "a.b": "dotted" }, "dotted"],
    [
      "a claim name that is a URL by brackets",
      "@request.auth.claims[https://example.com/roles]",
      { "https://example.com/roles": ["owner"] },
      "owner",
    ],
    ["a word of the scope claim", "@request.auth.claims.scope", { scope: "read write" }, "write"],
  ])("routes by %s", async (_name, header, claims, value) => {
    await stack.gatehouse.apply(routeWhen(header, `exact: "${value}"`));
    await stack.expect({ at: "ingress", token: await mintTestToken(claims) }, ROUTED);
    await stack.expect({ at: "ingress", token: demo }, NOT_FOUND);
    await stack.expect({ at: "ingress" }, NOT_FOUND);
  });

  it("does not find a dotted claim name by dots, nor a nested claim by a dotted name", async () => {
    await stack.gatehouse.apply(routeWhen("@request.auth.claims.a.b", "exact: dotted"));
    await stack.expect({ at: "ingress", token: await mintTestToken({ "a.b": "dotted" }) }, NOT_FOUND);
    await stack.gatehouse.apply(routeWhen("@request.auth.claims[a.b]", "exact: dotted"));
    await stack.expect({ at: "ingress", token: await mintTestToken({ a: { b: "dotted" } }) }, NOT_FOUND);
  });

  it("matches a claim by prefix and by regular expression", async () => {
    const acme = await mintTestToken({ tenant: "acme-7" });
    await stack.gatehouse.apply(routeWhen("@request.auth.claims.tenant", "prefix: acme-"));
    await stack.expect({ at: "ingress", token: acme }, ROUTED);
    await stack.expect({ at: "ingress", token: await mintTestToken({ tenant: "other" }) }, NOT_FOUND);
    await stack.gatehouse.apply(routeWhen("@request.auth.claims.tenant", "regex: 'acme-[0-9]'"));
    await stack.expect({ at: "ingress", token: acme }, ROUTED);
    await stack.expect({ at: "ingress", token: await mintTestToken({ tenant: "acme-77" }) }, NOT_FOUND);
  });

  it("does not let a client choose the route by a header of ours", async () => {
    await stack.gatehouse.apply(routeWhen("@request.auth.claims.groups", "exact: group1"));
    await stack.expect({ at: "ingress", headers: [["x-gatehouse-cluster", HTTPBIN_CLUSTER]] }, NOT_FOUND);
    await stack.expect(
      {
        at: "ingress",
        token: demo,
        headers: [
          ["X_Gatehouse_Cluster", HTTPBIN_CLUSTER],
          ["x-gatehouse-route", "foo/httpbin/0"],
        ],
      },
      NOT_FOUND,
    );
    // The route that was won is served, whatever the client claims.
    await stack.expect({ at: "ingress", token: groupsScope, headers: [["x-gatehouse-cluster", "elsewhere"]] }, ROUTED);
  });
});
