import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CheckClient, connectCheckClient } from "../support/check-client.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { type GatehouseOptions, type RunningGatehouse, startGatehouse } from "../support/gatehouse.ts";
import { mintTestToken, publicJwks, TEST_ISSUER } from "../support/jwt.ts";
import { type KeyIssuer, startKeyIssuer } from "../support/key-issuer.ts";
import { waitFor } from "../support/wait-for.ts";

let issuer: KeyIssuer;
let running: { stop(): unknown }[];

beforeEach(async () => {
  issuer = await startKeyIssuer();
  running = [issuer];
});

afterEach(async () => {
  for (const part of running.toReversed()) await part.stop();
});

async function start(options: GatehouseOptions = {}): Promise<{ gatehouse: RunningGatehouse; client: CheckClient }> {
  const gatehouse = await startGatehouse({ policies: trust(`${issuer.origin}/keys`), ...options });
  running.push(gatehouse);
  const client = connectCheckClient(gatehouse.checkPort);
  running.push(client);
  return { gatehouse, client };
}

function trust(jwksUri: string): string {
  return `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ra, namespace: foo }
spec:
  selector: { matchLabels: { app: httpbin } }
  jwtRules: [{ issuer: "${TEST_ISSUER}", jwksUri: "${jwksUri}" }]
`;
}

/** Tokens that differ, so that no cache answers for the keys. */
function signedBy(key: "rsa-2048" | "ec-p256", serial: number): Promise<string> {
  return mintTestToken({ jti: String(serial) }, { key, alg: key === "rsa-2048" ? "RS256" : "ES256" });
}

describe("a key that rotates", () => {
  it("costs no valid request when old and new overlap", async () => {
    const clock = createFakeClock();
    issuer.say(publicJwks("rsa-2048"));
    const { client } = await start({ keys: { clock } });
    const load = startLoad(client, "rsa-2048");
    issuer.say(publicJwks("rsa-2048", "ec-p256"));
    await clock.advance(20 * 60_000);
    await waitFor(
      "the new key is accepted",
      async () => (await client.check({ token: await signedBy("ec-p256", 0) })).status === 200,
    );
    const rejectedBefore = await load.stop();
    const after = startLoad(client, "ec-p256");
    issuer.say(publicJwks("ec-p256"));
    await clock.advance(20 * 60_000);
    await waitFor(
      "the old key is refused",
      async () => (await client.check({ token: await signedBy("rsa-2048", 1) })).status === 401,
    );
    const rejectedAfter = await after.stop();
    expect({ rejectedBefore, rejectedAfter }).toEqual({ rejectedBefore: 0, rejectedAfter: 0 });
  });

  it("is accepted within 2 s of the first token that it signs when they do not overlap", async () => {
    issuer.say(publicJwks("rsa-2048"));
    const { gatehouse, client } = await start();
    expect((await client.check({ token: await signedBy("rsa-2048", 0) })).status).toBe(200);
    issuer.say(publicJwks("ec-p256"));
    const startedMs = performance.now();
    expect((await client.check({ token: await signedBy("ec-p256", 1) })).status).toBe(401);
    await waitFor(
      "the new key is accepted",
      async () => (await client.check({ token: await signedBy("ec-p256", 2) })).status === 200,
    );
    expect(performance.now() - startedMs).toBeLessThan(2000);
    // Cached or not, what the removed key signed is refused.
    expect((await client.check({ token: await signedBy("rsa-2048", 0) })).status).toBe(401);
    expect(issuer.asked).toHaveLength(2);
    expect(gatehouse.keySources()).toMatchObject([{ state: "ready", keys: 1, lastFailure: null }]);
  });

  it("is accepted by every replica as soon as one of them has seen it", async () => {
    issuer.say(publicJwks("rsa-2048"));
    const { gatehouse, client } = await start();
    const replica = await startAuthzServer({
      controller: gatehouse.xdsAddress,
      listeners: [{ address: "127.0.0.1:0", identity: null }],
      nodeId: "replica",
      drain: { waitMs: 0, deadlineMs: 1000 },
      log: pino({ level: "silent" }),
      registry: new Registry(),
    });
    running.push(replica);
    await waitFor("the replica has the policy", () => replica.setVersion() === gatehouse.version());
    const second = connectCheckClient(Number(replica.checkAddresses[0]?.split(":").at(-1)));
    running.push(second);
    issuer.say(publicJwks("ec-p256"));
    const startedMs = performance.now();
    expect((await second.check({ token: await signedBy("ec-p256", 0) })).status).toBe(401);
    const token = await signedBy("ec-p256", 1);
    await waitFor("both accept it", async () => {
      const answers = await Promise.all([client, second].map((one) => one.check({ token })));
      return answers.every(({ status }) => status === 200);
    });
    expect(performance.now() - startedMs).toBeLessThan(2000);
    expect(issuer.asked).toHaveLength(2);
  });

  it("is fetched once more, not a thousand times, while somebody makes up keys", async () => {
    issuer.say(publicJwks("rsa-2048"));
    const { gatehouse, client } = await start();
    const version = gatehouse.version();
    const tokens = await Promise.all(
      Array.from({ length: 1000 }, (_, i) => mintTestToken({}, { key: "rogue-rsa-2048", kid: `made-up-${i}` })),
    );
    const answers = await Promise.all(tokens.map((token) => client.check({ token })));
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(
      new Set(["401 Jwks doesn't have key to match kid or alg from Jwt"]),
    );
    await waitFor("the issuer was asked again", () => issuer.asked.length > 1);
    expect((await client.check({ token: await signedBy("rsa-2048", 0) })).status).toBe(200);
    expect(issuer.asked).toHaveLength(2);
    expect(await gatehouse.metrics()).toMatch(/key_hints_total 1\n/);
    expect(gatehouse.version()).toBe(version);
    expect(gatehouse.log().join("")).not.toContain("made-up");
  });

  /** Valid tokens of one key, one after the other. */
  function startLoad(client: CheckClient, key: "rsa-2048" | "ec-p256"): { stop(): Promise<number> } {
    let isOn = true;
    let rejected = 0;
    const loop = (async () => {
      for (let serial = 1000; isOn; serial++) {
        if ((await client.check({ token: await signedBy(key, serial) })).status !== 200) rejected += 1;
      }
    })();
    return {
      async stop() {
        isOn = false;
        await loop;
        return rejected;
      },
    };
  }
});

describe("keys that never arrived", () => {
  it("make tokens of their rule fail with 401, and nothing else", async () => {
    const { client } = await start();
    const { status, body } = await client.check({ token: await signedBy("rsa-2048", 0) });
    expect([status, body]).toEqual([401, "Jwt verification fails"]);
    expect((await client.check()).status).toBe(200);
  });

  it("make them fail with 503 and Retry-After where that is asked for", async () => {
    const { client } = await start({ settings: { keysUnavailable: 503 } });
    const { status, headers } = await client.check({ token: await signedBy("rsa-2048", 0) });
    expect(status).toBe(503);
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect((await client.check()).status).toBe(200);
    // What is wrong with the token itself comes first.
    const expired = await mintTestToken({ exp: 1 });
    expect((await client.check({ token: expired })).status).toBe(401);
  });

  it("are used soon after the issuer is there", async () => {
    const { client, gatehouse } = await start();
    expect(gatehouse.keySources()).toMatchObject([
      { state: "unavailable", lastFailure: { class: "status", detail: "HTTP 404" } },
    ]);
    issuer.say(publicJwks("rsa-2048"));
    const token = await signedBy("rsa-2048", 0);
    await waitFor("the token is accepted", async () => (await client.check({ token })).status === 200);
  });
});

describe("an issuer that is found by OpenID discovery", () => {
  it("is asked for its document, then for its keys", async () => {
    issuer.answer((request, response) => {
      if (request.url === "/keys") response.end(publicJwks("rsa-2048"));
      else response.end(JSON.stringify({ issuer: issuer.origin, jwks_uri: `${issuer.origin}/keys` }));
    });
    const policies = trust("").replace(TEST_ISSUER, `${issuer.origin}/`).replace(', jwksUri: ""', "");
    const { client } = await start({ policies });
    expect(issuer.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
    const token = await mintTestToken({ iss: `${issuer.origin}/` });
    expect((await client.check({ token })).status).toBe(200);
  });
});

describe("a controller that restarts while the issuer is down", () => {
  it("has the keys from before", async () => {
    const dataDirectory = await mkdtemp(join(tmpdir(), "gatehouse-keys-"));
    try {
      issuer.say(publicJwks("rsa-2048"));
      const first = await start({ keys: { dataDirectory } });
      const token = await signedBy("rsa-2048", 0);
      expect((await first.client.check({ token })).status).toBe(200);
      await first.gatehouse.stop();
      expect((await stat(join(dataDirectory, "keys.json"))).mode & 0o777).toBe(0o600);
      issuer.hang();
      const second = await start({ keys: { dataDirectory } });
      expect((await second.client.check({ token })).status).toBe(200);
      expect(second.gatehouse.keySources()).toMatchObject([{ state: "ready", keys: 1 }]);
    } finally {
      await rm(dataDirectory, { recursive: true });
    }
  });
});
