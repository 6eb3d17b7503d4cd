import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  allowance,
  denial,
  type GrpcAnswer,
  type SeenCheck,
  startGrpcProvider,
  type TestProvider,
} from "../../support/ext-authz-provider.ts";
import { type FeatureStack, startFeatureStack } from "../../support/feature-stack.ts";
import { type HeaderLine, headerValue } from "../../support/raw-http.ts";

describe("CUSTOM and gRPC", () => {
  let stack: FeatureStack;
  let providers: readonly TestProvider<SeenCheck>[];
  let answers: readonly GrpcAnswer[];

  beforeAll(async () => {
    providers = await Promise.all([0, 1].map((index) => startGrpcProvider(() => answers[index] ?? "hang")));
    const extensionProviders = providers.map(({ port }, index) => ({
      name: `p${index}`,
      envoyExtAuthzGrpc: { service: "127.0.0.1", port, timeout: "5s" },
    }));
    stack = await startFeatureStack({ meshConfig: JSON.stringify({ extensionProviders }) });
  });
  afterAll(async () => {
    await stack?.stop();
    for (const provider of providers ?? []) await provider.stop();
  });
  beforeEach(() => {
    answers = [allowance(), allowance()];
  });

  const send = async (method: string, path: string, headers: readonly HeaderLine[] = []) => {
    const { response, received } = await stack.send(method, { at: "httpbin", path, headers });
    return { status: response.status, reached: received.length, response };
  };

  // docs/differences.md: where Istio denies everything unless a flag is set, each provider is asked.
  it("C51 asks each of two providers", async () => {
    await stack.gatehouse.apply(custom("p0", "/custom*") + custom("p1", "/custom/both"));
    expect(await send("GET", "/custom/both")).toMatchObject({ status: 200, reached: 1 });
    answers = [allowance(), denial(403, "no")];
    expect(await send("GET", "/custom/both")).toMatchObject({ status: 403, reached: 0 });
    expect(await send("GET", "/custom/one")).toMatchObject({ status: 200, reached: 1 });
    answers = [denial(403, "no"), allowance()];
    expect(await send("GET", "/custom/both")).toMatchObject({ status: 403, reached: 0 });
    expect(await send("GET", "/other")).toMatchObject({ status: 200, reached: 1 });
  });

  it("C52 denies what a provider allows and a DENY policy does not", async () => {
    await stack.gatehouse.apply(
      custom("p0", "/*") + policy("deny", "action: DENY, rules: [{ to: [{ operation: { paths: [/x] } }] }]"),
    );
    expect(await send("GET", "/x")).toMatchObject({
      status: 403,
      reached: 0,
      response: { body: "RBAC: access denied" },
    });
    expect(await send("GET", "/y")).toMatchObject({ status: 200, reached: 1 });
  });

  it("C43 answers a denied gRPC call by grpc-status", async () => {
    const rules = "[{ to: [{ operation: { paths: [/proto.EchoTestService/Echo], methods: [POST] } }] }]";
    await stack.gatehouse.apply(policy("grpc", `rules: ${rules}`));
    const grpc: readonly HeaderLine[] = [["content-type", "application/grpc"]];
    expect(await send("POST", "/proto.EchoTestService/Echo", grpc)).toMatchObject({ status: 200, reached: 1 });
    const denied = await send("POST", "/proto.EchoTestService/Other", grpc);
    expect(denied).toMatchObject({ status: 200, reached: 0 });
    expect(headerValue(denied.response, "grpc-status")).toBe("7");
    expect(decodeURIComponent(headerValue(denied.response, "grpc-message") ?? "")).toBe("RBAC: access denied");
  });
});

function custom(provider: string, path: string): string {
  return policy(
    provider,
    `action: CUSTOM, provider: { name: ${provider} }, rules: [{ to: [{ operation: { paths: ["${path}"] } }] }]`,
  );
}

function policy(name: string, spec: string): string {
  return `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: foo }
spec: { ${spec} }
`;
}
