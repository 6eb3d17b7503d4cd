import type { AuthorizationPolicy, KeySet, ObjectMeta, RequestAuthentication } from "@gatehouse/protos";

/** An ALLOW policy of one rule. @param ref `namespace/name` */
export function authorizationPolicy(ref: string): AuthorizationPolicy {
  return {
    kind: "AuthorizationPolicy",
    meta: meta(ref),
    target: { kind: "selector", matchLabels: [{ name: "app", value: "httpbin" }] },
    action: "ALLOW",
    dryRun: false,
    provider: "",
    rules: [{ index: 0, from: [], to: [], when: [] }],
  };
}

/** A RequestAuthentication of one rule, with the keys `inline-1`. @param ref `namespace/name` */
export function requestAuthentication(ref: string): RequestAuthentication {
  return {
    kind: "RequestAuthentication",
    meta: meta(ref),
    target: { kind: "namespace" },
    jwtRules: [
      {
        issuer: "testing@secure.istio.io",
        audiences: [],
        locations: [{ kind: "header", name: "x-token", prefix: "" }],
        keySet: "inline-1",
        outputPayloadToHeader: "x-payload",
        outputClaimToHeaders: [],
        forwardOriginalToken: false,
        spaceDelimitedClaims: [],
        presence: "OPTIONAL",
        invalid: "",
      },
    ],
  };
}

/** A key set of one key. */
export function keySet(name: string): KeySet {
  const key = { kty: "oct", kid: "k", alg: "HS256", k: "c2VjcmV0" } as const;
  return { kind: "KeySet", name, minReaderVersion: 1, state: "ready", keys: [key] };
}

function meta(ref: string): ObjectMeta {
  const [namespace = "", name = ""] = ref.split("/");
  return { namespace, name, createdAtMs: 0, minReaderVersion: 1, unenforceable: "" };
}
