import { beforeAll, describe, expect, it } from "vitest";
import { demoToken, groupsScopeToken, TEST_ISSUER } from "../../support/jwt.ts";
import { waitFor } from "../../support/wait-for.ts";
import { type Answer, ask } from "../support/ask.ts";
import { installGatehouse } from "../support/gatehouse-release.ts";
import { type ClusterNode, startNode } from "../support/node.ts";
import { applyPolicies, deletePolicies } from "../support/policies.ts";
import { JWKS_URI, type SampleMesh, startSampleMesh } from "../support/sample-mesh.ts";

// Each document is one journey: its steps run in the order in which it has them, on a cluster that nothing else changes.

const DENIED = { status: 403, body: "RBAC: access denied" };
const MALFORMED = "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections";

let node: ClusterNode;
let mesh: SampleMesh;
let demo: string;
let groupsScope: string;

beforeAll(async () => {
  node = await startNode();
  await installGatehouse(node);
  mesh = await startSampleMesh(node);
  await deletePolicies(node);
  [demo, groupsScope] = await Promise.all([demoToken(), groupsScopeToken()]);
  await eventually(mesh.httpbin, 200);
}, 900_000);

describe("authorization with JWT", () => {
  it("lets sleep talk to httpbin", async () => {
    expect(await statusOf(mesh.httpbin)).toBe(200);
  });

  it("creates the request authentication policy jwt-example", async () => {
    await applyPolicies(node, jwtExample("foo", "app: httpbin"));
    expect(await ask({ address: mesh.httpbin, token: "invalidToken" })).toEqual({
      status: 401,
      body: MALFORMED,
      authenticate: 'Bearer realm="http://httpbin.example.com/headers", error="invalid_token"',
    });
    expect(await statusOf(mesh.httpbin)).toBe(200);
  });

  it("creates the authorization policy require-jwt", async () => {
    await applyPolicies(node, requireJwt());
    expect(await statusOf(mesh.httpbin, demo)).toBe(200);
    expect(await ask({ address: mesh.httpbin })).toEqual(DENIED);
    expect(await statusOf(mesh.sleep)).toBe(200);
  });

  it("updates require-jwt to require the claim groups", async () => {
    await applyPolicies(node, requireJwt("when: [{ key: 'request.auth.claims[groups]', values: [group1] }]"));
    expect(await statusOf(mesh.httpbin, groupsScope)).toBe(200);
    expect(await ask({ address: mesh.httpbin, token: demo })).toEqual(DENIED);
  });

  it("says in kubectl get what is enforced", async () => {
    const table = await node.kubectl(["-n", "foo", "get", "requestauthentications,authorizationpolicies"]);
    expect(table).toMatch(/NAME +ACCEPTED +PROGRAMMED +(KEYS +)?AGE\n\S+\/jwt-example +True +True/);
    expect(table).toMatch(/NAME +ACTION +ACCEPTED +PROGRAMMED +AGE\n\S+\/require-jwt +ALLOW +True +True/);
    const path = "/apis/security.istio.io/v1/namespaces/foo/authorizationpolicies/require-jwt";
    const { metadata, status } = await node.client.get(path);
    expect(status?.observedGeneration).toBe(metadata.generation);
    expect(status?.conditions?.find(({ type }) => type === "Programmed")?.message).toMatch(
      new RegExp(`^3/3 servers enforce generation ${metadata.generation}$`),
    );
  });

  it("cleans up", async () => {
    await node.kubectl(["-n", "foo", "delete", "authorizationpolicy/require-jwt", "requestauthentication/jwt-example"]);
    await eventually(mesh.httpbin, 200, "invalidToken");
    expect(await statusOf(mesh.httpbin)).toBe(200);
  });
});

describe("end-user authentication at the gateway", () => {
  it("exposes httpbin", async () => {
    await applyPolicies(node, GATEWAY + virtualService(""));
    expect(await statusOf(mesh.ingress)).toBe(200);
  });

  it("creates a request authentication policy whose keys are fetched", async () => {
    await applyPolicies(node, jwtExample("istio-system", "istio: ingressgateway", `jwksUri: ${JWKS_URI}`));
    const { status } = await node.client.get(
      "/apis/security.istio.io/v1/namespaces/istio-system/requestauthentications/jwt-example",
    );
    expect(status?.conditions?.find(({ type }) => type === "KeysReady")).toMatchObject({ status: "True" });
    expect(await statusOf(mesh.ingress)).toBe(200);
    expect(await statusOf(mesh.ingress, "deadbeef")).toBe(401);
    expect(await statusOf(mesh.ingress, demo)).toBe(200);
  });

  it("requires a valid token", async () => {
    await applyPolicies(node, frontendIngress(""));
    expect(await ask({ address: mesh.ingress })).toEqual(DENIED);
    expect(await statusOf(mesh.ingress, demo)).toBe(200);
  });

  it("requires valid tokens for one path", async () => {
    await applyPolicies(node, frontendIngress("to: [{ operation: { paths: [/headers] } }]"));
    expect(await ask({ address: mesh.ingress })).toEqual(DENIED);
    expect((await ask({ address: mesh.ingress, path: "/ip" })).status).toBe(200);
  });

  it("cleans up", async () => {
    await node.kubectl(["-n", "istio-system", "delete", "requestauthentication/jwt-example"]);
    await node.kubectl(["-n", "istio-system", "delete", "authorizationpolicy/frontend-ingress"]);
    await eventually(mesh.ingress, 200);
  });
});

describe("routing by JWT claims", () => {
  it("sees the route that the gateway has", async () => {
    expect(await statusOf(mesh.ingress)).toBe(200);
  });

  it("enables JWT at the ingress gateway, and routes by the claim groups", async () => {
    await applyPolicies(node, jwtExample("istio-system", "istio: ingressgateway", `jwksUri: ${JWKS_URI}`));
    await applyPolicies(node, virtualService('headers: { "@request.auth.claims.groups": { exact: group1 } }'));
    expect(await ask({ address: mesh.ingress })).toEqual({ status: 404, body: "" });
    expect(await statusOf(mesh.ingress, "some.invalid.token")).toBe(401);
    const answer = await ask({ address: mesh.ingress, token: groupsScope });
    expect([answer.status, JSON.parse(answer.body).service]).toEqual([200, "httpbin"]);
    expect(await statusOf(mesh.ingress, demo)).toBe(404);
  });

  it("answers 403 in place of 404 when a token is required", async () => {
    await applyPolicies(node, requireAnyToken("istio-system", "istio: ingressgateway"));
    expect(await ask({ address: mesh.ingress })).toEqual(DENIED);
    expect(await statusOf(mesh.ingress, groupsScope)).toBe(200);
  });

  it("cleans up", async () => {
    await deletePolicies(node);
    await eventually(mesh.ingress, 404);
  });
});

describe("the question of how to leave out one path", () => {
  it("lets only that path through without a token", async () => {
    await applyPolicies(node, GATEWAY + virtualService("", "/"));
    await applyPolicies(node, jwtExample("istio-system", "istio: ingressgateway"));
    await applyPolicies(node, frontendIngress("to: [{ operation: { notPaths: [/productpage] } }]"));
    expect((await ask({ address: mesh.ingress, path: "/productpage" })).status).toBe(200);
    expect(await ask({ address: mesh.ingress, path: "/headers" })).toEqual(DENIED);
    expect(await statusOf(mesh.ingress, demo)).toBe(200);
  });

  it("cleans up", async () => {
    await deletePolicies(node);
    await eventually(mesh.ingress, 404);
  });
});

const GATEWAY = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: httpbin-gateway, namespace: foo }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 80, name: http, protocol: HTTP }
      hosts: ["*"]
---`;

function virtualService(match: string, prefix = "/headers"): string {
  return `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: httpbin, namespace: foo }
spec:
  hosts: ["*"]
  gateways: [httpbin-gateway]
  http:
    - match:
        - uri: { prefix: ${prefix} }
          ${match}
        - uri: { prefix: /ip }
      route:
        - destination: { host: httpbin, port: { number: 8000 } }
`;
}

function jwtExample(namespace: string, label: string, keys = `jwksUri: ${JWKS_URI}`): string {
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt-example, namespace: ${namespace} }
spec:
  selector: { matchLabels: { ${label} } }
  jwtRules:
    - issuer: ${TEST_ISSUER}
      ${keys}
`;
}

function requireJwt(when = ""): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: require-jwt, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  action: ALLOW
  rules:
    - from: [{ source: { requestPrincipals: ["${TEST_ISSUER}/${TEST_ISSUER}"] } }]
      ${when}
`;
}

function requireAnyToken(namespace: string, label: string): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: require-jwt, namespace: ${namespace} }
spec:
  selector: { matchLabels: { ${label} } }
  action: ALLOW
  rules:
    - from: [{ source: { requestPrincipals: ["*"] } }]
`;
}

function frontendIngress(to: string): string {
  return `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: frontend-ingress, namespace: istio-system }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  action: DENY
  rules:
    - from: [{ source: { notRequestPrincipals: ["*"] } }]
      ${to}
`;
}

async function statusOf(address: string, token?: string): Promise<Answer["status"]> {
  return (await ask({ address, ...(token === undefined ? {} : { token }) })).status;
}

/** For what no condition tells: that an object is gone. */
async function eventually(address: string, status: number, token?: string): Promise<void> {
  await waitFor(`${address} answers ${status}`, async () => (await statusOf(address, token)) === status);
}
