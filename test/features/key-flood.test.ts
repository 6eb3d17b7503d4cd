import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CheckClient } from "../support/check-client.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { mintTestToken, publicJwks } from "../support/jwt.ts";
import type { KeyIssuer } from "../support/key-issuer.ts";
import { createKeyStack, type KeyStack, passTime, sampleOf, signedBy, trust } from "../support/key-stack.ts";
import { waitFor } from "../support/wait-for.ts";

const SECOND_MS = 1000;
/** Least time between two fetches that unknown keys cause. */
const COOL_DOWN_MS = 30 * SECOND_MS;
const UNKNOWN_KEY = "401 Jwks doesn't have key to match kid or alg from Jwt";

let stack: KeyStack;
let issuer: KeyIssuer;
let made = 0;

beforeEach(async () => {
  stack = createKeyStack();
  issuer = await stack.issuer();
  issuer.say(publicJwks("rsa-2048"));
});

afterEach(() => stack.stop());

/** Sends so many tokens, each with a key of its own that nobody has. @returns the different answers */
async function flood(client: CheckClient, count: number): Promise<readonly string[]> {
  const [, payload, signature] = (await mintTestToken()).split(".");
  const answers = await Promise.all(
    Array.from({ length: count }, () => {
      made += 1;
      const header = Buffer.from(JSON.stringify({ alg: "RS256", kid: `made-up-${made}` })).toString("base64url");
      return client.check({ token: `${header}.${payload}.${signature}` });
    }),
  );
  return [...new Set(answers.map(({ status, body }) => `${status} ${body}`))];
}

describe("keys that somebody makes up", () => {
  it("cause one fetch, not a thousand, and no change of policy", async () => {
    const { gatehouse, client } = await stack.gatehouse({ policies: trust(`${issuer.origin}/keys`) });
    const version = gatehouse.version();
    expect(await flood(client, 1000)).toEqual([UNKNOWN_KEY]);
    await waitFor("the issuer was asked again", () => issuer.asked.length > 1);
    expect((await client.check({ token: await signedBy("rsa-2048") })).status).toBe(200);
    expect(issuer.asked).toHaveLength(2);
    expect(await sampleOf(gatehouse, "controller_key_hints_total")).toBe(1);
    expect(gatehouse.version()).toBe(version);
    expect(gatehouse.log().join("")).not.toContain("made-up");
  });

  it("at 200 a second neither wear the issuer out nor keep a new key out for more than 30 s", async () => {
    const clock = createFakeClock();
    const askedAtMs: number[] = [];
    const serve = (keys: string): void =>
      issuer.answer((_request, response) => {
        askedAtMs.push(clock.steadyMs());
        response.end(keys);
      });
    serve(publicJwks("rsa-2048"));
    const { gatehouse, client } = await stack.gatehouse({
      policies: trust(`${issuer.origin}/keys`),
      keys: { clock },
      server: { steadyMs: clock.steadyMs },
    });
    const second = async (key: "rsa-2048" | "ec-p256"): Promise<number> => {
      const [answers, { status }] = await Promise.all([
        flood(client, 200),
        signedBy(key).then((token) => client.check({ token })),
      ]);
      expect(answers).toEqual([UNKNOWN_KEY]);
      await passTime({ clock, gatehouse }, { ms: SECOND_MS, stepMs: SECOND_MS });
      return status;
    };

    // Until the issuer has just been asked for the second time: the worst moment for a new key.
    while (askedAtMs.length < 3) expect(await second("rsa-2048")).toBe(200);
    serve(publicJwks("ec-p256"));
    const rotatedAtMs = clock.steadyMs();
    while (clock.steadyMs() < rotatedAtMs + COOL_DOWN_MS) await second("ec-p256");
    const token = await signedBy("ec-p256");
    await waitFor(
      "the new key is accepted, in no more time",
      async () => (await client.check({ token })).status === 200,
    );
    expect(clock.steadyMs() - rotatedAtMs).toBe(COOL_DOWN_MS);
    for (let left = 5; left > 0; left--) expect(await second("ec-p256")).toBe(200);

    const [scheduled, ...caused] = askedAtMs;
    expect(scheduled).toBe(0);
    expect(gapsOf(caused).every((gapMs) => gapMs >= COOL_DOWN_MS)).toBe(true);
    expect(caused).toHaveLength(3);
  });
});

function gapsOf(timesMs: readonly number[]): readonly number[] {
  return timesMs.slice(1).map((timeMs, i) => timeMs - (timesMs[i] ?? 0));
}
