import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CheckClient } from "../support/check-client.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import type { KeyIssuer } from "../support/key-issuer.ts";
import { createKeyStack, type KeyStack, passTime, sampleOf, signedBy, trust, trustAll } from "../support/key-stack.ts";
import { waitFor } from "../support/wait-for.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let stack: KeyStack;
let issuer: KeyIssuer;
let clock: FakeClock;
let policies: string;

beforeEach(async () => {
  stack = createKeyStack();
  issuer = await stack.issuer();
  clock = createFakeClock();
  policies = trust(`${issuer.origin}/keys`);
});

afterEach(() => stack.stop());

async function answerTo(client: CheckClient): Promise<string> {
  const { status, body } = await client.check({ token: await signedBy("rsa-2048") });
  return `${status} ${body}`.trim();
}

const ACCEPTED = "200";
const NO_KEYS = "401 Jwt verification fails";

describe("keys that never arrived", () => {
  it("make tokens of their rule fail with 401, and nothing else (A48)", async () => {
    const { client } = await stack.gatehouse({ policies });
    expect(await answerTo(client)).toBe(NO_KEYS);
    expect((await client.check()).status).toBe(200);
  });

  it("make them fail with 503 and Retry-After where that is asked for", async () => {
    const { client } = await stack.gatehouse({ policies, settings: { keysUnavailable: 503 } });
    const { status, headers } = await client.check({ token: await signedBy("rsa-2048") });
    expect(status).toBe(503);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await client.check()).status).toBe(200);
    // What is wrong with the token itself comes first.
    const expired = await mintTestToken({ exp: 1 });
    expect((await client.check({ token: expired })).status).toBe(401);
  });

  it("are those of an issuer that takes longer to answer than its rule allows (A50)", async () => {
    issuer.answer((_request, response) => void setTimeout(() => response.end(publicJwks("rsa-2048")), 200));
    const rule = { issuer: TEST_ISSUER, jwksUri: `${issuer.origin}/keys` };
    const impatient = trustAll([{ ...rule, timeout: "10ms" }]);
    const { client, gatehouse } = await stack.gatehouse({ policies: impatient, keys: { clock } });
    expect(gatehouse.keySources()).toMatchObject([{ state: "unavailable", lastFailure: { class: "timeout" } }]);
    expect(await answerTo(client)).toBe(NO_KEYS);
    await gatehouse.apply(trustAll([rule]));
    await passTime({ clock, gatehouse }, { ms: MINUTE_MS, stepMs: MINUTE_MS });
    await waitFor("the token is accepted", async () => (await answerTo(client)) === ACCEPTED);
  });

  it("are used soon after the issuer is there", async () => {
    const { client, gatehouse } = await stack.gatehouse({ policies });
    expect(gatehouse.keySources()).toMatchObject([
      { state: "unavailable", lastFailure: { class: "status", detail: "HTTP 404" } },
    ]);
    expect(await sampleOf(gatehouse, "controller_key_set_age_seconds")).toBe(-1);
    issuer.say(publicJwks("rsa-2048"));
    await waitFor("the token is accepted", async () => (await answerTo(client)) === ACCEPTED);
  });
});

describe("an issuer that is down for ten days", () => {
  it("has its tokens accepted for seven of them, refused after, and accepted once it is back (A52)", async () => {
    issuer.say(publicJwks("rsa-2048"));
    const { gatehouse, client } = await stack.gatehouse({ policies, keys: { clock } });
    const sample = (name: string) => sampleOf(gatehouse, `controller_key_${name}`);
    const pass = (ms: number, stepMs: number) => passTime({ clock, gatehouse }, { ms, stepMs });
    const untilNextSec = async () => (await sample("set_next_fetch_timestamp_seconds")) - clock.wallMs() / 1000;
    expect(await untilNextSec()).toBeGreaterThanOrEqual(18 * 60);
    expect(await untilNextSec()).toBeLessThanOrEqual(20 * 60);
    issuer.drop();
    for (let day = 1; day < 7; day++) {
      await pass(DAY_MS, 6 * HOUR_MS);
      expect(await answerTo(client)).toBe(ACCEPTED);
    }
    await pass(DAY_MS - 5 * MINUTE_MS, 6 * HOUR_MS);
    expect(await answerTo(client)).toBe(ACCEPTED);
    expect(await sample("set_keys")).toBe(1);
    expect(await sample("set_age_seconds")).toBeCloseTo((7 * DAY_MS - 5 * MINUTE_MS) / 1000, 0);
    expect(await untilNextSec()).toBeGreaterThan(0);
    expect(await untilNextSec()).toBeLessThanOrEqual(60);

    await pass(10 * MINUTE_MS, MINUTE_MS);
    await waitFor("they are refused", async () => (await answerTo(client)) === NO_KEYS);
    expect((await client.check()).status).toBe(200); // as before, a request without a token
    expect(await sample("set_keys")).toBe(0);
    await pass(3 * DAY_MS, 6 * HOUR_MS);
    expect(await answerTo(client)).toBe(NO_KEYS);
    expect(await sampleOf(gatehouse, "controller_key_fetches_total", 'result="connect"')).toBe(issuer.asked.length - 1);

    issuer.say(publicJwks("rsa-2048"));
    await pass(MINUTE_MS, MINUTE_MS);
    await waitFor("they are accepted", async () => (await answerTo(client)) === ACCEPTED);
    expect(await sampleOf(gatehouse, "controller_key_fetches_total", 'result="success"')).toBe(2);
  });
});

describe("a controller and an authz-server that restart while the issuer is down", () => {
  let home: string;

  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "gatehouse-keys-"));
    issuer.say(publicJwks("rsa-2048"));
  });

  afterEach(() => rm(home, { recursive: true }));

  function start() {
    return stack.gatehouse({
      policies,
      keys: { clock, dataDirectory: join(home, "controller") },
      server: { dataDirectory: join(home, "authz-server") },
    });
  }

  it("have the keys from before, from files that are theirs alone", async () => {
    const first = await start();
    expect(await answerTo(first.client)).toBe(ACCEPTED);
    await first.gatehouse.stop();
    const files = ["controller/keys.json", "authz-server/last-good"].map((name) => stat(join(home, name)));
    expect((await Promise.all(files)).map(({ mode }) => mode & 0o777)).toEqual([0o600, 0o600]);
    issuer.hang();
    const second = await start();
    expect(await answerTo(second.client)).toBe(ACCEPTED);
    expect(second.gatehouse.keySources()).toMatchObject([{ state: "ready", keys: 1 }]);
    expect(await sampleOf(second.gatehouse, "authz_last_good_total", 'result="loaded"')).toBe(1);
  });

  it("have them for seven days in all, however often they restart", async () => {
    let running = await start();
    issuer.drop();
    for (let day = 2; day <= 6; day += 2) {
      await passTime({ clock, gatehouse: running.gatehouse }, { ms: 2 * DAY_MS, stepMs: 6 * HOUR_MS });
      await running.gatehouse.stop();
      running = await start();
      expect(await answerTo(running.client)).toBe(ACCEPTED);
    }
    const { gatehouse } = running;
    await passTime({ clock, gatehouse }, { ms: DAY_MS + HOUR_MS, stepMs: HOUR_MS });
    await waitFor("they are refused", async () => (await answerTo(running.client)) === NO_KEYS);
    await gatehouse.stop();
    running = await start();
    expect(await answerTo(running.client)).toBe(NO_KEYS);
  });

  it("have none when they were off for longer than that", async () => {
    const first = await start();
    expect(await answerTo(first.client)).toBe(ACCEPTED);
    await first.gatehouse.stop();
    issuer.drop();
    await clock.advance(8 * DAY_MS);
    const second = await start();
    expect(await answerTo(second.client)).toBe(NO_KEYS);
    expect(second.gatehouse.keySources()).toMatchObject([{ state: "unavailable", keys: 0 }]);
  });
});
