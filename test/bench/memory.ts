import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { authorizationPolicy, requestAuthentication } from "./flat-cost.ts";
import { runGrpcLoad } from "./grpc-load.ts";
import { residentMiB, type ServerProcess } from "./server-process.ts";
import { startBuiltServer } from "./start-built-server.ts";

/** Resident memory of one authz-server, in MiB. */
export interface MemoryUse {
  readonly withPolicies: number;
  readonly withTokens: number;
  /** Of one token. */
  readonly tokenBytes: number;
}

/**
 * Measures an authz-server with many policies that has seen many tokens, each twice. It has to be built.
 * @param nodeOptions in place of those of the image
 */
export async function measureMemory(
  policies: number,
  tokens: number,
  nodeOptions?: readonly string[],
): Promise<MemoryUse> {
  const server = await startBuiltServer(objects(policies), nodeOptions);
  try {
    await load(server, [checkRequestEncoder()(await mint(0))], 20_000);
    const withPolicies = residentMiB(server.pid);
    for (let from = 0; from < tokens; from += BATCH) await loadTokens(server, from, Math.min(BATCH, tokens - from));
    return { withPolicies, withTokens: residentMiB(server.pid), tokenBytes: (await mint(tokens)).length };
  } finally {
    await server.stop();
  }
}

const BATCH = 5000;

async function loadTokens(server: ServerProcess, from: number, count: number): Promise<void> {
  const encode = checkRequestEncoder();
  const messages: Uint8Array[] = [];
  for (let i = 0; i < count; i++) messages.push(encode(await mint(from + i)));
  await load(server, messages, 2 * count);
}

async function load(server: ServerProcess, messages: readonly Uint8Array[], calls: number): Promise<void> {
  const path = "/envoy.service.auth.v3.Authorization/Check";
  const { answerSizes } = await runGrpcLoad({
    ...{ port: server.port, path, metadata: METADATA, messages, calls },
    ...{ connections: 2, concurrency: 20 },
  });
  if (answerSizes.length !== 1) throw new Error(`answers of different sizes: ${answerSizes.join(", ")} bytes`);
}

function mint(n: number): Promise<string> {
  const claims = { sub: `user-${n}`, jti: `token-${n}`, groups: ["staff", `team-${n % 50}`], note: "x".repeat(227) };
  return mintTestToken(claims, { key: "oct-512", alg: "HS256" });
}

/** Each policy has its own path, its own caller, and a condition on a claim. */
function objects(count: number): readonly object[] {
  const rules = (n: number) => [
    { to: [{ operation: { paths: ["/headers"] } }] },
    {
      from: [{ source: { requestPrincipals: [`${TEST_ISSUER}/user-${n}`], namespaces: ["foo", "bar"] } }],
      to: [{ operation: { methods: ["GET", "POST"], paths: [`/api/service-${n}/*`, `/v2/service-${n}`] } }],
      when: [{ key: "request.auth.claims[groups]", values: [`team-${n % 50}`] }],
    },
  ];
  return [
    requestAuthentication("jwt", [{ issuer: TEST_ISSUER, jwks: publicJwks("oct-512") }]),
    ...Array.from({ length: count }, (_, n) =>
      authorizationPolicy(`p${n}`, { rules: rules(n).slice(n === 0 ? 0 : 1) }),
    ),
  ];
}
