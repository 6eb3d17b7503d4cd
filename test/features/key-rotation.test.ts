import { startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { connectCheckClient } from "../support/check-client.ts";
import { startCheckLoad } from "../support/check-load.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { publicJwks } from "../support/jwt.ts";
import { type KeyIssuer, TEST_CA_FILE } from "../support/key-issuer.ts";
import { createKeyStack, type KeyStack, sampleOf, signedBy, trust } from "../support/key-stack.ts";
import { testTransport } from "../support/test-transport.ts";
import { waitFor } from "../support/wait-for.ts";

const MINUTE_MS = 60_000;
const CLIENTS = 4;
/** How soon a key that nobody announced is accepted, besides the time that the issuer takes to answer. */
const PROMISED_MS = 2000;

let stack: KeyStack;
let issuer: KeyIssuer;

beforeEach(async () => {
  stack = createKeyStack();
  issuer = await stack.issuer({ certificate: "server" });
  issuer.say(publicJwks("rsa-2048"));
});

afterEach(() => stack.stop());

function start(keys: object = {}) {
  return stack.gatehouse({ policies: trust(`${issuer.origin}/keys`), keys: { ...keys, caFile: TEST_CA_FILE } });
}

describe("a key that rotates while clients ask without a pause", () => {
  it("costs no valid request when old and new overlap", async () => {
    const clock = createFakeClock();
    const { gatehouse, client } = await start({ clock });
    const answersTo = async (key: "rsa-2048" | "ec-p256") =>
      (await client.check({ token: await signedBy(key) })).status;
    let signing: "rsa-2048" | "ec-p256" = "rsa-2048";
    const load = startCheckLoad(gatehouse.checkPort, CLIENTS, () => signedBy(signing));
    stack.add(load);
    await load.more(50);
    issuer.say(publicJwks("rsa-2048", "ec-p256"));
    await clock.advance(20 * MINUTE_MS);
    await waitFor("the new key is known", async () => (await sampleOf(gatehouse, "controller_key_set_keys")) === 2);
    await waitFor("the new key is accepted", async () => (await answersTo("ec-p256")) === 200);
    signing = "ec-p256";
    await load.more(50);
    issuer.say(publicJwks("ec-p256"));
    await clock.advance(20 * MINUTE_MS);
    await waitFor("the old key is refused", async () => (await answersTo("rsa-2048")) === 401);
    await load.more(50);
    const answers = await load.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await sampleOf(gatehouse, "controller_key_set_keys")).toBe(1);
    expect(await sampleOf(gatehouse, "controller_key_fetches_total", 'result="success"')).toBe(issuer.asked.length);
  });

  it("costs valid requests for at most 2 s, and the issuer's time to answer, when they do not overlap (A53)", async () => {
    const issuerTakesMs = 300;
    const { gatehouse } = await start();
    let signing: "rsa-2048" | "ec-p256" = "rsa-2048";
    const load = startCheckLoad(gatehouse.checkPort, CLIENTS, () => signedBy(signing));
    stack.add(load);
    await load.more(50);
    issuer.answer((_request, response) => void setTimeout(() => response.end(publicJwks("ec-p256")), issuerTakesMs));
    signing = "ec-p256";
    const rotatedAtMs = performance.now();
    const limitMs = rotatedAtMs + PROMISED_MS + issuerTakesMs;
    await waitFor("the time is over", () => performance.now() > limitMs);
    await load.more(200);
    const answers = await load.stop();

    const rejected = answers.filter(({ status }) => status !== 200);
    // The first tokens of the new key can't but be refused: nobody knew of it.
    expect(rejected.length).toBeGreaterThan(0);
    expect(new Set(rejected.map(({ status }) => status))).toEqual(new Set([401]));
    expect(Math.min(...rejected.map(({ askedAtMs }) => askedAtMs))).toBeGreaterThan(rotatedAtMs);
    expect(Math.max(...rejected.map(({ askedAtMs }) => askedAtMs))).toBeLessThan(limitMs);
    expect(answers.filter(({ askedAtMs }) => askedAtMs > limitMs).length).toBeGreaterThanOrEqual(200 - CLIENTS);
    expect(issuer.asked).toHaveLength(2);
  });
});

describe("a key that rotates without overlap", () => {
  it("takes with it what the old key signed, remembered or not", async () => {
    const { gatehouse, client } = await start();
    const old = await signedBy("rsa-2048");
    expect((await client.check({ token: old })).status).toBe(200);
    issuer.say(publicJwks("ec-p256"));
    await waitFor("the new key is accepted", async () => {
      return (await client.check({ token: await signedBy("ec-p256") })).status === 200;
    });
    expect((await client.check({ token: old })).status).toBe(401);
    expect(gatehouse.keySources()).toMatchObject([{ state: "ready", keys: 1, lastFailure: null }]);
  });

  it("is accepted by every replica as soon as one of them has seen it", async () => {
    const { gatehouse, client } = await start();
    const replica = await startAuthzServer({
      controller: gatehouse.xdsAddress,
      listeners: [{ address: "127.0.0.1:0", identity: null }],
      transport: testTransport(),
      nodeId: "replica",
      drain: { waitMs: 0, deadlineMs: 1000 },
      log: pino({ level: "silent" }),
      registry: new Registry(),
    });
    stack.add(replica);
    await waitFor("the replica has the policy", () => replica.setVersion() === gatehouse.version());
    const second = connectCheckClient(Number(replica.checkAddresses[0]?.split(":").at(-1)));
    stack.add(second);
    issuer.say(publicJwks("ec-p256"));
    const startedMs = performance.now();
    expect((await second.check({ token: await signedBy("ec-p256") })).status).toBe(401);
    const token = await signedBy("ec-p256");
    await waitFor("both accept it", async () => {
      const answers = await Promise.all([client, second].map((one) => one.check({ token })));
      return answers.every(({ status }) => status === 200);
    });
    expect(performance.now() - startedMs).toBeLessThan(PROMISED_MS);
    expect(issuer.asked).toHaveLength(2);
  });
});
