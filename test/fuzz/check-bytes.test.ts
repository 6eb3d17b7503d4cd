import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { type CheckAnswer, type CheckHarness, createCheckHarness } from "../support/check-harness.ts";
import { publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { rawCheckRequest } from "../support/proto-bytes.ts";
import { FUZZ_TIMEOUT_MS, fuzz, soup } from "./fuzz.ts";

/** Conditions of every kind, none of which can ever allow a request. */
const NEVER_ALLOWS = `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ra, namespace: foo }
spec:
  jwtRules:
    - issuer: ${TEST_ISSUER}
      jwks: '${publicJwks("rsa-2048", "ec-p256", "ed25519")}'
      fromHeaders: [{ name: authorization, prefix: "Bearer " }, { name: x-t }]
      fromParams: [access_token]
      fromCookies: [session]
      outputClaimToHeaders: [{ header: x-sub, claim: sub }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: never, namespace: foo }
spec:
  rules:
    - from: [{ source: { requestPrincipals: ["*"], remoteIpBlocks: ["192.0.2.0/24"], notIpBlocks: ["10.0.0.0/8"] } }]
      to: [{ operation: { paths: ["/a/{*}/b", "/c*", "*d"], methods: ["GET", "P*"], hosts: ["*.example.com"], ports: ["1"] } }]
      when:
        - { key: "request.headers[x-never]", values: ["can't be sent: \\u0001"] }
        - { key: "request.auth.claims[a][b]", notValues: ["x"] }
        - { key: "experimental.envoy.filters.http.lua[key]", values: ["[x]"] }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: deny, namespace: foo }
spec:
  action: DENY
  rules:
    - when: [{ key: "experimental.envoy.filters.http.lua[key]", values: ["x"] }]
    - to: [{ operation: { notPaths: ["/p/{**}"] } }]
`;

let server: CheckHarness;
beforeAll(async () => {
  server = await createCheckHarness({ policies: NEVER_ALLOWS, settings: { strictPaths: true } });
});

/** null: the call fails, which Envoy takes for a failure of the authorizer. */
async function answer(bytes: Uint8Array): Promise<CheckAnswer | null> {
  try {
    return await server.checkBytes(bytes);
  } catch (error) {
    if (error instanceof Error && error.constructor.name === "InvalidCheckRequest") return null;
    throw error;
  }
}

async function isNeverAllowed(bytes: Uint8Array): Promise<void> {
  const given = await answer(bytes);
  if (given === null) return;
  expect(given.code).not.toBe(0);
  expect(given.status).not.toBe(200);
}

const path = soup(["/", "p", "..", "%2e", "%2f", "\\", "?", "#", ";", "access_token=", "a.b.c", "%00", "//", "*", "&"]);
const name = fc.constantFrom(
  "authorization",
  "cookie",
  "x-t",
  "x-never",
  "x-sub",
  "x_sub",
  "x-forwarded-for",
  "host",
  "origin",
);
const value = soup([
  "Bearer ",
  "e30",
  ".",
  "session=",
  ";",
  "eyJhbGciOiJSUzI1NiJ9",
  "null",
  ",",
  "1.2.3.4",
  "::1",
  "\u0000",
  " ",
]);
const plausible = fc.record({
  path,
  host: soup(["a.example.com", ":80", ".", "[::1]", "A"], 4),
  method: fc.constantFrom("GET", "OPTIONS", "", "P", "get"),
  headers: fc.array(fc.tuple(name, value), { maxLength: 6 }),
  metadata: fc.uint8Array({ maxLength: 20 }),
});

/** Bytes of a request with some of them changed, cut or doubled. */
const damaged = fc
  .tuple(plausible, fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 }), fc.nat(3))
  .map(([request, changes, cut]) => {
    const bytes = rawCheckRequest(request);
    for (const [at, byte] of changes) bytes[at % bytes.length] = byte;
    if (cut === 1) return bytes.subarray(0, bytes.length - 1);
    return cut === 2 ? Buffer.concat([bytes, bytes]) : bytes;
  });

test(
  "no bytes are allowed by a policy that allows nothing, and none make the handler throw",
  async () => {
    await fuzz(fc.uint8Array({ maxLength: 200 }), isNeverAllowed);
  },
  FUZZ_TIMEOUT_MS,
);

test(
  "no request is allowed by a policy that allows nothing, whole or damaged",
  async () => {
    await fuzz(damaged, isNeverAllowed);
  },
  FUZZ_TIMEOUT_MS,
);
