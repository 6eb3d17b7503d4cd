import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeClock } from "../support/fake-clock.ts";
import { mintTestToken, publicJwks } from "../support/jwt.ts";
import { createKeyStack, type KeyStack, passTime, signedBy, trust, trustAll } from "../support/key-stack.ts";
import { waitFor } from "../support/wait-for.ts";

const SECOND_MS = 1000;
const INTERVAL_MS = 20 * 60 * SECOND_MS;

let stack: KeyStack;

beforeEach(() => {
  stack = createKeyStack();
});

afterEach(() => stack.stop());

describe("an issuer that is found by OpenID discovery", () => {
  it.each(["", "/"])("is asked for its document by a path with one slash, then for its keys (A54)", async (end) => {
    const issuer = await stack.issuer();
    issuer.answer((request, response) => {
      if (request.url === "/keys") response.end(publicJwks("rsa-2048"));
      else response.end(JSON.stringify({ issuer: issuer.origin, jwks_uri: `${issuer.origin}/keys` }));
    });
    const { client } = await stack.gatehouse({ policies: trust("", `${issuer.origin}${end}`) });
    expect(issuer.asked).toEqual(["/.well-known/openid-configuration", "/keys"]);
    const token = await mintTestToken({ iss: `${issuer.origin}${end}` });
    expect((await client.check({ token })).status).toBe(200);
  });
});

describe("fifty issuers", () => {
  it("have their keys refreshed on time though one of them never answers", async () => {
    const clock = createFakeClock();
    const issuers = await Promise.all(Array.from({ length: 50 }, () => stack.issuer()));
    const askedAtMs = issuers.map((): number[] => []);
    const serve = (keys: string): void => {
      for (const [i, issuer] of issuers.entries()) {
        issuer.answer((_request, response) => {
          askedAtMs[i]?.push(clock.steadyMs());
          if (i !== BLACK_HOLE) response.end(keys);
        });
      }
    };
    serve(publicJwks("rsa-2048"));
    const rules = issuers.map(({ origin }, i) => ({ issuer: nameOf(i), jwksUri: `${origin}/keys` }));
    let isStarted = false;
    const starting = stack.gatehouse({ policies: trustAll(rules), keys: { clock } }).finally(() => {
      isStarted = true;
    });
    // The first policy waits for keys for some time, no longer.
    await waitFor("it has started", async () => {
      await clock.advance(SECOND_MS);
      return isStarted;
    });
    const { gatehouse, client } = await starting;
    const statuses = (key: "rsa-2048" | "ec-p256") =>
      Promise.all(rules.map(async ({ issuer }) => (await client.check({ token: await signedBy(key, issuer) })).status));
    const all = rules.map((_rule, i) => (i === BLACK_HOLE ? 401 : 200));
    expect(await statuses("rsa-2048")).toEqual(all);
    const startedAtMs = clock.steadyMs();

    serve(publicJwks("ec-p256"));
    const hanging = rules.filter((_rule, i) => i === BLACK_HOLE).map(({ jwksUri }) => jwksUri);
    await passTime({ clock, gatehouse, hanging }, { ms: INTERVAL_MS, stepMs: 30 * SECOND_MS });
    await waitFor("the new keys are accepted", async () => {
      const answers = await statuses("ec-p256");
      return answers.every((status, i) => status === all[i]);
    });
    expect(await statuses("rsa-2048")).toEqual(all.map(() => 401));
    const others = askedAtMs.filter((_times, i) => i !== BLACK_HOLE);
    expect(others.map((times) => times.length)).toEqual(others.map(() => 2));
    for (const [first = 0, second = 0] of others) {
      expect(first).toBeLessThanOrEqual(startedAtMs);
      expect(second - first).toBeGreaterThanOrEqual(0.9 * INTERVAL_MS);
      expect(second - first).toBeLessThanOrEqual(INTERVAL_MS + startedAtMs);
    }
  });
});

const BLACK_HOLE = 7;

function nameOf(i: number): string {
  return `https://issuer-${i}.example`;
}
