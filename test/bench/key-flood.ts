import { randomBytes } from "node:crypto";
import { startJwksServer } from "../support/jwks-server.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { ask } from "./ask.ts";
import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { directTarget } from "./direct-target.ts";
import type { LoadResult } from "./load.ts";
import type { RatioKind } from "./results.ts";
import { type Effort, loadRow, type Row, warmUp } from "./row.ts";
import type { Running } from "./running.ts";
import type { Target } from "./sample.ts";
import { SERVER_CORE, type ServerProcess, startServerProcess } from "./server-process.ts";

/** The rows, and what came of the flood. */
export interface KeyFlood {
  /** Good traffic alone. */
  readonly goodAlone: Row;
  /** As much of it as is answered beside the flood. */
  readonly goodBeside: Row;
  /** Nothing but tokens of the flood, as many as are answered. */
  readonly floodAlone: Row;
  /** What came of the flood beside good traffic. */
  floodPerSecond(): number;
  /** Times that the issuer was asked for its keys, the first included, and how long ago that was. */
  fetches(): { readonly count: number; readonly elapsedSec: number };
}

/** Tokens that are due. */
export const FLOOD_PER_SECOND = 1000;

/** What a flood of tokens with random key ids takes from good traffic on the same core. */
export async function startKeyFlood(effort: Effort, running: Running): Promise<KeyFlood> {
  const issuer = await running.add(startJwksServer(publicJwks("rsa-2048")));
  const startedAtMs = performance.now();
  const server = await running.add(startServerProcess("flooded-server.ts", SERVER_CORE, [issuer.uri]));
  const encode = checkRequestEncoder();
  const seen = encode(await mintTestToken({ jti: "seen" }));
  const unknown = (count: number) => Array.from({ length: count }, () => encode(tokenOfUnknownKey()));
  await expectAnswer(server, seen, 200);
  for (const message of unknown(1)) await expectAnswer(server, message, 401);
  const target = (messages: readonly Uint8Array[]) => directTarget({ ...server, metadata: METADATA, messages });
  const good = target([seen]);
  const bad = target(unknown(5000));
  const came = { requests: 0, elapsedMs: 0 };
  const both = besideFlood(
    good,
    () => target(unknown(2 * FLOOD_PER_SECOND)),
    ({ requests, elapsedMs }) => {
      came.requests += requests;
      came.elapsedMs += elapsedMs;
    },
  );
  for (const one of [good, bad]) await warmUp(one, effort);
  const alone = "good-alone";
  const rate = FLOOD_PER_SECOND.toLocaleString("en");
  const row = (id: string, name: string, by: RatioKind, of: Target) =>
    loadRow({ id, name, beside: { id: alone, by } }, of, effort);
  return {
    goodAlone: loadRow({ id: alone, name: "Gatehouse, token seen before" }, good, effort),
    goodBeside: row("good-beside", `the same beside a flood of ${rate} tokens/s`, "rate", both),
    floodAlone: row("flood", "Gatehouse, only tokens of such a flood", "cost", bad),
    floodPerSecond: () => (came.requests / came.elapsedMs) * 1000,
    fetches: () => ({ count: issuer.requests(), elapsedSec: (performance.now() - startedAtMs) / 1000 }),
  };
}

/** Good traffic beside a flood that lasts as long, on connections of its own. @param onFlood told what came of it */
function besideFlood(good: Target, flood: () => Target, onFlood: (came: LoadResult) => void): Target {
  return {
    ...good,
    async load(arrivals) {
      const goodEnds = new AbortController();
      const paced = { perSecond: FLOOD_PER_SECOND, tickMs: 1, signal: goodEnds.signal };
      const [answered, flooded] = await Promise.all([
        good.load(arrivals).finally(() => goodEnds.abort()),
        flood().load({ calls: 60 * FLOOD_PER_SECOND, ...paced }),
      ]);
      onFlood(flooded);
      return answered;
    },
  };
}

async function expectAnswer({ port }: ServerProcess, message: Uint8Array, status: number): Promise<void> {
  const answer = await ask(`127.0.0.1:${port}`, METADATA, message);
  if (answer.status !== status) throw new Error(`answered ${answer.status} instead of ${status}`);
}

/** In order save for its signature, and of a key that nobody has. */
function tokenOfUnknownKey(): string {
  const header = { alg: "RS256", typ: "JWT", kid: randomBytes(12).toString("hex") };
  const payload = { iss: TEST_ISSUER, sub: TEST_ISSUER, iat: 1_700_000_000, exp: 4_685_989_700 };
  const segments = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
  return [...segments, randomBytes(256).toString("base64url")].join(".");
}
