import { loadExtAuthz } from "@gatehouse/protos/wire";
import { credentials, Metadata, status } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  allowance,
  denial,
  type GrpcAnswer,
  type SeenCheck,
  type SeenHttpCheck,
  startGrpcProvider,
  startHttpProvider,
  type TestProvider,
} from "../support/ext-authz-provider.ts";
import { type FeatureStack, HTTPBIN_APP, startFeatureStack } from "../support/feature-stack.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import type { HeaderLine } from "../support/raw-http.ts";

interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

describe("CUSTOM providers behind a real Envoy", () => {
  let stack: FeatureStack;
  let grpc: TestProvider<SeenCheck>;
  let http: TestProvider<SeenHttpCheck>;
  let grpcAnswer: GrpcAnswer;
  /** null: none. */
  let httpAnswer: HttpAnswer | null;
  let onGrpcCancel: () => void;
  let onHttpClose: () => void;

  beforeAll(async () => {
    grpc = await startGrpcProvider(() => grpcAnswer, { onCancel: () => onGrpcCancel() });
    http = await startHttpProvider((_seen, response) => {
      response.once("close", () => onHttpClose());
      if (httpAnswer === null) return;
      response.writeHead(httpAnswer.status, httpAnswer.headers).end(httpAnswer.body);
    });
    const unused = await startGrpcProvider(() => allowance());
    await unused.stop();
    stack = await startFeatureStack({ meshConfig: meshConfig(grpc.port, http.port, unused.port) });
  });
  afterAll(async () => {
    await stack?.stop();
    await Promise.all([grpc?.stop(), http?.stop()]);
  });
  beforeEach(() => {
    grpcAnswer = allowance();
    httpAnswer = { status: 200 };
    onGrpcCancel = () => undefined;
    onHttpClose = () => undefined;
    grpc.takeSeen();
    http.takeSeen();
  });

  async function get(path: string, headers: readonly HeaderLine[] = []) {
    const { response, received } = await stack.send("GET", { at: "httpbin", path, headers });
    return {
      status: response.status,
      body: received.length === 0 ? response.body : "(of the upstream)",
      headers: new Map(response.headers),
      upstream: received.map((request) => ({ ...request, headers: new Map(request.headers) })),
    };
  }

  test("a gRPC provider allows and denies what the rules are about, and nothing else", async () => {
    await stack.gatehouse.apply(ask("grpc", "/custom"));
    expect((await get("/custom")).upstream).toMatchObject([{ upstream: HTTPBIN_APP, path: "/custom" }]);
    expect(grpc.takeSeen()).toMatchObject([{ path: "/custom", headers: { ":authority": "httpbin.example.com" } }]);
    grpcAnswer = denial(403, "not you", { "x-why": "grpc" });
    const refused = await get("/custom");
    expect(refused).toMatchObject({ status: 403, body: "not you", upstream: [] });
    expect(refused.headers.get("x-why")).toBe("grpc");
    grpc.takeSeen();
    expect((await get("/other")).status).toBe(200);
    expect(grpc.takeSeen()).toEqual([]);
    const metrics = await stack.gatehouse.metrics();
    expect(metrics).toContain('gatehouse_authz_provider_checks_total{result="allowed"} 1\n');
    expect(metrics).toContain('gatehouse_authz_provider_checks_total{result="denied"} 1\n');
  });

  test("an HTTP provider is asked with its headers, and the client gets its redirect", async () => {
    await stack.gatehouse.apply(ask("http", "/*"));
    httpAnswer = { status: 200, headers: { "x-user": "alice", "x-other": "1", "x-session": "s1" } };
    const served = await get("/p?q=1", [
      ["X-Wanted", "w"],
      ["X-Unwanted", "u"],
      ["X-User", "spoofed"],
    ]);
    expect(served.upstream[0]?.headers.get("x-user")).toBe("alice");
    expect(served.upstream[0]?.headers.has("x-other")).toBe(false);
    expect(served.headers.get("x-session")).toBe("s1");
    const [seen] = http.takeSeen();
    expect(seen).toMatchObject({ method: "GET", path: "/check/p?q=1", headers: { host: "httpbin.example.com" } });
    expect(seen?.headers).toMatchObject({ "x-wanted": "w", "x-fixed": "yes" });
    expect(seen?.headers).not.toHaveProperty("x-unwanted");
    httpAnswer = { status: 302, headers: { location: "https://login.example.com/" } };
    const moved = await get("/p");
    expect([moved.status, moved.headers.get("location"), moved.upstream]).toEqual([
      302,
      "https://login.example.com/",
      [],
    ]);
  });

  test("two providers in a row: the second sees what the first set, and the upstream gets what both want", async () => {
    await stack.gatehouse.apply(ask("grpc", "/*") + ask("http", "/*"));
    grpcAnswer = allowance({ "x-wanted": "from-grpc", "x-grpc": "1" }, ["x-gone"]);
    httpAnswer = { status: 200, headers: { "x-user": "alice" } };
    const served = await get("/both", [["X-Gone", "1"]]);
    expect(http.takeSeen()[0]?.headers).toMatchObject({ "x-wanted": "from-grpc" });
    const headers = served.upstream[0]?.headers;
    expect([headers?.get("x-wanted"), headers?.get("x-grpc"), headers?.get("x-user"), headers?.has("x-gone")]).toEqual([
      "from-grpc",
      "1",
      "alice",
      false,
    ]);
    grpcAnswer = denial(401, "first");
    expect(await get("/both")).toMatchObject({ status: 401, body: "first", upstream: [] });
    expect(http.takeSeen()).toEqual([]);
  });

  test("a provider that fails or is too late: each has its own failure mode", async () => {
    const fail: GrpcAnswer = { fail: status.INTERNAL };
    await stack.gatehouse.apply(ask("grpc", "/closed") + ask("grpc-open", "/open") + ask("nobody", "/nobody"));
    for (const answer of [fail, "hang", { bytes: Uint8Array.of(0xff) }] as const) {
      grpcAnswer = answer;
      expect(await get("/closed")).toMatchObject({ status: 503, body: "", upstream: [] });
      expect((await get("/open")).upstream).toHaveLength(1);
    }
    expect(await get("/nobody")).toMatchObject({ status: 403, upstream: [] });
  });

  test("when the caller gives up first, the question to the provider ends, too", async () => {
    await stack.gatehouse.apply(ask("grpc-slow", "/grpc") + ask("http-slow", "/http"));
    const gone = { grpc: 0, http: 0 };
    grpcAnswer = "hang";
    onGrpcCancel = () => gone.grpc++;
    httpAnswer = null;
    onHttpClose = () => gone.http++;
    for (const path of ["/grpc", "/http"]) {
      expect(await checkWithin(300, stack.gatehouse.checkPort, path)).not.toBe(status.OK);
    }
    await expect.poll(() => gone).toEqual({ grpc: 1, http: 1 });
  });

  test("an allow of the provider skips neither the token nor the other policies", async () => {
    await stack.gatehouse.apply(`${ask("grpc", "/*")}---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt, namespace: foo }
spec: { jwtRules: [{ issuer: ${TEST_ISSUER}, jwks: '${publicJwks()}' }] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: users, namespace: foo }
spec: { rules: [{ from: [{ source: { requestPrincipals: ["*"] } }] }] }
`);
    expect(await get("/headers")).toMatchObject({ status: 403, body: "RBAC: access denied" });
    expect((await get("/headers", [["Authorization", "Bearer x"]])).status).toBe(401);
    expect((await get("/headers", [["Authorization", `Bearer ${await mintTestToken({})}`]])).status).toBe(200);
    grpcAnswer = denial(402);
    expect((await get("/headers", [["Authorization", "Bearer x"]])).status).toBe(402);
  });
});

/** Asks as Envoy does, for so long only. @returns the gRPC code of the call, or of the answer that came just in time */
async function checkWithin(timeoutMs: number, checkPort: number, path: string): Promise<number> {
  const client = new (loadExtAuthz())(`127.0.0.1:${checkPort}`, credentials.createInsecure());
  const metadata = new Metadata();
  metadata.set("gatehouse-namespace", "foo");
  metadata.set("gatehouse-labels", "app=httpbin");
  const request = { attributes: { request: { http: { method: "GET", path, host: "a", headerMap: {} } } } };
  try {
    return await new Promise((resolve) => {
      const deadline = Date.now() + timeoutMs;
      client.Check(request, metadata, { deadline }, (error, answer) =>
        resolve(error?.code ?? answer?.status?.code ?? status.OK),
      );
    });
  } finally {
    client.close();
  }
}

function meshConfig(grpcPort: number, httpPort: number, nobodysPort: number): string {
  return `
extensionProviders:
  - name: grpc
    envoyExtAuthzGrpc: { service: 127.0.0.1, port: ${grpcPort}, timeout: 0.3s, statusOnError: "503" }
  - name: grpc-open
    envoyExtAuthzGrpc: { service: localhost, port: ${grpcPort}, timeout: 0.3s, failOpen: true }
  - name: grpc-slow
    envoyExtAuthzGrpc: { service: 127.0.0.1, port: ${grpcPort}, failOpen: true }
  - name: http-slow
    envoyExtAuthzHttp: { service: 127.0.0.1, port: ${httpPort}, failOpen: true }
  - name: nobody
    envoyExtAuthzGrpc: { service: 127.0.0.1, port: ${nobodysPort}, timeout: 1s }
  - name: http
    envoyExtAuthzHttp:
      service: foo/localhost
      port: ${httpPort}
      timeout: 1s
      pathPrefix: /check
      includeRequestHeadersInCheck: [X-Wanted]
      includeAdditionalHeadersInCheck: { X-Fixed: "yes" }
      headersToUpstreamOnAllow: [X-User]
      headersToDownstreamOnAllow: [X-Session]
`;
}

function ask(provider: string, path: string): string {
  return `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ask-${provider}, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  action: CUSTOM
  provider: { name: ${provider} }
  rules: [{ to: [{ operation: { paths: ["${path}"] } }] }]
`;
}
