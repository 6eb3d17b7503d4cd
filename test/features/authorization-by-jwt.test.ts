import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FeatureStack, HTTPBIN_APP, SLEEP_APP, startFeatureStack } from "../support/feature-stack.ts";
import { demoToken, groupsScopeToken, mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";

const INVALID = {
  status: 401,
  body: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
  authenticate: 'Bearer realm="http://httpbin.example.com/headers", error="invalid_token"',
};
const DENIED = { status: 403, body: "RBAC: access denied" };
const SERVED = { status: 200, upstream: HTTPBIN_APP };

describe.each(["v1", "v1beta1"])("authorization by JWT with security.istio.io/%s", (version) => {
  let stack: FeatureStack;
  let demo: string;
  let groupsScope: string;

  const requestAuthentication = `
apiVersion: security.istio.io/${version}
kind: RequestAuthentication
metadata: { name: jwt-example, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${publicJwks()}'
`;

  const requireJwt = (when = "") => `${requestAuthentication}
---
apiVersion: security.istio.io/${version}
kind: AuthorizationPolicy
metadata: { name: require-jwt, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  action: ALLOW
  rules:
    - from:
        - source: { requestPrincipals: ["${TEST_ISSUER}/${TEST_ISSUER}"] }
${when}`;

  const requireGroup = requireJwt(`
      when:
        - key: request.auth.claims[groups]
          values: [group1]
`);

  beforeAll(async () => {
    [stack, demo, groupsScope] = await Promise.all([startFeatureStack(), demoToken(), groupsScopeToken()]);
  });
  afterAll(() => stack?.stop());

  it("lets everything pass before there is any policy", async () => {
    await stack.expect({ at: "httpbin" }, SERVED);
  });

  it("refuses an invalid token and lets a request without token pass while only a RequestAuthentication exists", async () => {
    await stack.gatehouse.apply(requestAuthentication);
    await stack.expect({ at: "httpbin", token: "invalidToken" }, INVALID);
    await stack.expect({ at: "httpbin" }, SERVED);
    await stack.expect({ at: "httpbin", token: demo }, SERVED);
  });

  it("refuses a token of an issuer that no rule names", async () => {
    await stack.gatehouse.apply(requestAuthentication);
    const token = await mintTestToken({ iss: "other@secure.istio.io" });
    await stack.expect({ at: "httpbin", token }, { ...INVALID, body: "Jwt issuer is not configured" });
  });

  it("refuses a token that another key signed, and one that has expired", async () => {
    await stack.gatehouse.apply(requestAuthentication);
    const forged = await mintTestToken({}, { key: "rogue-rsa-2048", kid: "rsa-2048" });
    await stack.expect({ at: "httpbin", token: forged }, { ...INVALID, body: "Jwt verification fails" });
    const expired = await mintTestToken({ exp: 1_700_000_100 });
    await stack.expect({ at: "httpbin", token: expired }, { ...INVALID, body: "Jwt is expired" });
  });

  it("requires a token once an AuthorizationPolicy asks for its principal", async () => {
    await stack.gatehouse.apply(requireJwt());
    await stack.expect({ at: "httpbin", token: demo }, SERVED);
    await stack.expect({ at: "httpbin" }, DENIED);
    await stack.expect({ at: "httpbin", token: "invalidToken" }, INVALID);
    const otherSubject = await mintTestToken({ sub: "someone-else" });
    await stack.expect({ at: "httpbin", token: otherSubject }, DENIED);
  });

  it("leaves a workload alone that the selectors do not name", async () => {
    await stack.gatehouse.apply(requireJwt());
    await stack.expect({ at: "sleep" }, { status: 200, upstream: SLEEP_APP });
  });

  it("requires a claim, as a list or as a string", async () => {
    await stack.gatehouse.apply(requireGroup);
    await stack.expect({ at: "httpbin", token: groupsScope }, SERVED);
    await stack.expect({ at: "httpbin", token: demo }, DENIED);
    await stack.expect({ at: "httpbin", token: await mintTestToken({ groups: "group1" }) }, SERVED);
    await stack.expect({ at: "httpbin", token: await mintTestToken({ groups: ["group2", "group10"] }) }, DENIED);
    await stack.expect({ at: "httpbin" }, DENIED);
  });

  it("takes the token from the query parameter access_token too, and keeps it from the upstream", async () => {
    await stack.gatehouse.apply(requireGroup);
    await stack.expect(
      { at: "httpbin", path: `/headers?a=1&access_token=${groupsScope}&b=2` },
      { ...SERVED, path: "/headers?a=1&b=2" },
    );
  });

  it("lets everything pass again when the policies are deleted", async () => {
    await stack.gatehouse.apply(requireGroup);
    await stack.expect({ at: "httpbin" }, DENIED);
    await stack.gatehouse.apply("");
    await stack.expect({ at: "httpbin" }, SERVED);
  });

  it("asks Gatehouse about every request", async () => {
    const before = (await stack.envoy.stats("http.inbound.ext_authz.ok")).get("http.inbound.ext_authz.ok") ?? 0;
    await stack.expect({ at: "httpbin" }, SERVED);
    const after = (await stack.envoy.stats("http.inbound.ext_authz.ok")).get("http.inbound.ext_authz.ok");
    expect(after).toBe(before + 2);
  });
});
