import type { ServerResponse } from "node:http";
import { type CheckHarness, createCheckHarness } from "./check-harness.ts";
import {
  type GrpcAnswer,
  type SeenCheck,
  type SeenHttpCheck,
  startGrpcProvider,
  startHttpProvider,
  type TestProvider,
} from "./ext-authz-provider.ts";
import { publicJwks, TEST_ISSUER } from "./jwt.ts";

/** Providers and harnesses of one test; `stop` ends all of them. */
export interface CustomBench {
  grpc(answer: (seen: SeenCheck) => GrpcAnswer): Promise<TestProvider<SeenCheck>>;
  http(answer: (seen: SeenHttpCheck, response: ServerResponse) => void): Promise<TestProvider<SeenHttpCheck>>;
  /** The check handler over policies. */
  start(meshConfig: string, policies: string): Promise<CheckHarness>;
  /** Ends something else with the rest. */
  later(end: () => void | Promise<void>): void;
  stop(): Promise<void>;
}

/** For tests of CUSTOM policies through the check handler. */
export function createCustomBench(): CustomBench {
  const ends: (() => void | Promise<void>)[] = [];
  return {
    async grpc(answer) {
      const provider = await startGrpcProvider(answer);
      ends.push(() => provider.stop());
      return provider;
    },
    async http(answer) {
      const provider = await startHttpProvider(answer);
      ends.push(() => provider.stop());
      return provider;
    },
    async start(meshConfig, policies) {
      const harness = await createCheckHarness({ meshConfig, policies });
      ends.push(() => harness.stop());
      return harness;
    },
    later: (end) => void ends.push(end),
    async stop() {
      for (const end of ends.splice(0).toReversed()) await end();
    },
  };
}

/** MeshConfig with these entries. */
export function mesh(...providers: readonly string[]): string {
  return `extensionProviders:\n${providers.join("\n")}`;
}

/** An entry of `extensionProviders`. @param more further settings, each after a comma */
export function grpcEntry(name: string, port: number, more = ""): string {
  return `- name: ${name}
  envoyExtAuthzGrpc: { service: 127.0.0.1, port: ${port}${more} }`;
}

/** The same for HTTP. */
export function httpEntry(name: string, port: number, more = ""): string {
  return `- name: ${name}
  envoyExtAuthzHttp: { service: 127.0.0.1, port: ${port}${more} }`;
}

/** A policy of namespace foo that asks the provider. */
export function custom(provider: string, rules = "[{}]"): string {
  return policy(`ask-${provider}`, `action: CUSTOM\n  provider: { name: ${provider} }\n  rules: ${rules}`);
}

/** An AuthorizationPolicy of namespace foo. */
export function policy(name: string, spec: string): string {
  return `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: foo }
spec:
  ${spec}
`;
}

/** Tokens of the test issuer, with the claim `sub` in the header `x-sub`. */
export const READ_JWT = `---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: jwt, namespace: foo }
spec: { jwtRules: [{ issuer: ${TEST_ISSUER}, jwks: '${publicJwks()}', outputClaimToHeaders: [{ header: x-sub, claim: sub }] }] }
`;
