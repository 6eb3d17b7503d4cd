import { randomBytes } from "node:crypto";
import { startJwksServer } from "../support/jwks-server.ts";
import { mintTestToken, publicJwks } from "../support/jwt.ts";
import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { runGrpcLoad } from "./grpc-load.ts";
import { cpuMicroseconds, SERVER_CORE, type ServerProcess, startServerProcess } from "./server-process.ts";

/** How much is measured. */
export interface UnknownKeysOptions {
  /** Slices without and with the flood take turns, so that a noisy neighbour hits both alike. */
  readonly rounds: number;
  /** Good checks of one slice. */
  readonly calls: number;
}

/** Medians of all rounds, in CPU time of the server: it does not depend on what else the machine does. */
export interface FloodResult {
  readonly goodMicroseconds: number;
  readonly floodMicroseconds: number;
  /** Of the slices with flood, by the clock. */
  readonly floodPerSecond: number;
  /** Times that the issuer was asked for its keys, the first included. */
  readonly fetches: number;
  readonly elapsedSec: number;
}

/** What a flood of tokens with random key ids takes from the good traffic. */
export async function measureFlood({ rounds, calls }: UnknownKeysOptions): Promise<FloodResult> {
  const issuer = await startJwksServer(publicJwks("rsa-2048"));
  const server = await startServerProcess("flooded-server.ts", SERVER_CORE, [issuer.uri]);
  const startedAtMs = performance.now();
  try {
    const encode = checkRequestEncoder();
    const good = [encode(await mintTestToken({ jti: "seen" }))];
    const flood = Array.from({ length: 5000 }, () => encode(tokenOfUnknownKey()));
    const mixed = flood.flatMap((bad) => [...new Array<Uint8Array[]>(GOOD_FOR_EACH).fill(good).flat(), bad]);
    const measureGood = () => slice(server, good, calls, 1);
    const measureMixed = () => slice(server, mixed, calls + calls / GOOD_FOR_EACH, 2);
    for (const warmUp of [measureGood, measureMixed]) await warmUp();
    const floods: Slice[] = [];
    const pairs: { readonly good: number; readonly flood: number }[] = [];
    for (let round = 0; round < rounds; round++) {
      const calm = await measureGood();
      const flooded = await measureMixed();
      floods.push(flooded);
      const cost = (flooded.cpuMicroseconds - calm.cpuMicroseconds) / (calls / GOOD_FOR_EACH);
      pairs.push({ good: calm.cpuMicroseconds / calls, flood: cost });
    }
    return {
      goodMicroseconds: median(pairs.map((pair) => pair.good)),
      floodMicroseconds: median(pairs.map((pair) => pair.flood)),
      floodPerSecond: median(floods.map(({ elapsedMs }) => (calls / GOOD_FOR_EACH / elapsedMs) * 1000)),
      fetches: issuer.requests(),
      elapsedSec: (performance.now() - startedAtMs) / 1000,
    };
  } finally {
    await server.stop();
    issuer.stop();
  }
}

/** Good checks for each one of the flood, in slices that have both. */
const GOOD_FOR_EACH = 10;

interface Slice {
  readonly cpuMicroseconds: number;
  readonly elapsedMs: number;
}

/** @param answers how many kinds of them there should be: a flood that is let in, or good traffic that is not, is no measurement */
async function slice(
  server: ServerProcess,
  messages: readonly Uint8Array[],
  calls: number,
  answers: number,
): Promise<Slice> {
  const path = "/envoy.service.auth.v3.Authorization/Check";
  const before = cpuMicroseconds(server.pid);
  const load = { port: server.port, path, metadata: METADATA, messages, calls, connections: 2, concurrency: 50 };
  const { elapsedMs, answerSizes } = await runGrpcLoad(load);
  if (answerSizes.length !== answers) throw new Error(`${answerSizes.length} kinds of answers instead of ${answers}`);
  return { cpuMicroseconds: cpuMicroseconds(server.pid) - before, elapsedMs };
}

/** In order save for its signature, and of a key that nobody has. */
function tokenOfUnknownKey(): string {
  const header = { alg: "RS256", typ: "JWT", kid: randomBytes(12).toString("hex") };
  const subject = "testing@secure.istio.io";
  const payload = { iss: subject, sub: subject, iat: 1_700_000_000, exp: 4_685_989_700 };
  const segments = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return [...segments, randomBytes(256).toString("base64url")].join(".");
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
