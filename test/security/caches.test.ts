import { startAuthzServer } from "@gatehouse/authz-server";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { describe, expect } from "vitest";
import { connectCheckClient } from "../support/check-client.ts";
import { type CheckHarness, createCheckHarness, translatePolicies } from "../support/check-harness.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { publicJwks } from "../support/jwt.ts";
import { createPolicyReceiver, held } from "../support/policy-receiver.ts";
import { testTransport } from "../support/test-transport.ts";
import { waitFor } from "../support/wait-for.ts";
import { serverAtNow } from "./fixtures/token-server.ts";
import { attacksAt, securityTest } from "./register.ts";
import {
  ANYJWT,
  authorizationPolicy,
  forge,
  GRP,
  NOW_SEC,
  requestAuthentication,
  VALID_CLAIMS,
} from "./token-forge.ts";

const RA1 = requestAuthentication(publicJwks("rsa-2048", "ec-p256"));

const attack = attacksAt("check");

/** A server with a clock that the test holds, and a cache that has seen a good token. */
async function warm(policies = RA1): Promise<{
  readonly harness: CheckHarness;
  readonly token: string;
  readonly clock: { nowSec: number };
  status(token: string): Promise<number>;
}> {
  const clock = { nowSec: NOW_SEC };
  const harness = await createCheckHarness({ policies, nowMs: () => clock.nowSec * 1000 });
  const token = forge();
  const status = async (text: string) => (await harness.check({ token: text })).status;
  expect([await status(token), await status(token)]).toEqual([200, 200]);
  expect(await lookups(harness, "hit")).toBe(1);
  return { harness, token, clock, status };
}

async function lookups(harness: CheckHarness, result: "hit" | "miss"): Promise<number> {
  const line = new RegExp(`token_cache_total\\{result="${result}"\\} (\\d+)`).exec(await harness.metrics());
  return Number(line?.[1] ?? 0);
}

describe("the cache of verified tokens", () => {
  securityTest(
    attack("L01", "C", {
      source: "CVE-2026-35039",
      title: "a token that differs from a cached one in signature, payload or last byte; the same token elsewhere",
      outcome: "401; the key is a digest of the whole token, and the key set that verified it",
    }),
    async () => {
      const { harness, token, status } = await warm();
      // Often enough that its text is known, too.
      for (let times = 0; times < 40; times++) expect(await status(token)).toBe(200);
      const [header = "", payload = "", signature = ""] = token.split(".");
      const other = forge({ claims: { sub: "admin" } }).split(".")[1];
      for (let at = 0; at < token.length; at += 7) {
        const changed = `${token.slice(0, at)}${token[at] === "A" ? "B" : "A"}${token.slice(at + 1)}`;
        expect(await status(changed), `character ${at}`).toBe(401);
      }
      for (const changed of [
        `${header}.${other}.${signature}`,
        `${header}.${payload}.AA`,
        token.slice(0, -1),
        `${token}A`,
      ]) {
        expect(await status(changed)).toBe(401);
      }
      expect(await status(token)).toBe(200);
      // Same issuer, other keys, in another namespace.
      const elsewhere = requestAuthentication(publicJwks("rsa-3072")).replace("namespace: foo", "namespace: bar");
      await harness.apply(RA1 + elsewhere);
      expect(await status(token)).toBe(200);
      expect((await harness.check({ token, namespace: "bar" })).status).toBe(401);
    },
  );

  securityTest(
    attack("L02", "C", {
      source: "cached past exp",
      title: "a cached token while the clock passes exp",
      outcome: "401 from 61 s after exp on; times are checked at every use",
    }),
    async () => {
      const { token, clock, status } = await warm();
      const seen: number[] = [];
      for (const sec of [-1, 0, 60, 61, 100_000]) {
        clock.nowSec = VALID_CLAIMS.exp + sec;
        seen.push(await status(token));
      }
      expect(seen).toEqual([200, 200, 200, 401, 401]);
      const soon = forge({ claims: { nbf: NOW_SEC } });
      clock.nowSec = NOW_SEC;
      expect(await status(soon)).toBe(200);
      clock.nowSec = NOW_SEC - 61;
      expect(await status(soon)).toBe(401);
    },
  );

  securityTest(
    attack("L03", "M", {
      source: "token malleability (D16, D25)",
      title: "other texts of a cached token",
      outcome: "only the canonical text is read; nothing identifies a user by it",
    }),
    async () => {
      const { token, status } = await warm();
      const texts = [`${token}=`, `${token} `, ` ${token}`, `"${token}"`, token.replace(/.$/, "*")];
      const outcomes = await Promise.all(texts.map(status));
      // A blank in front is skipped when the token is taken out of the header: the token is the same text.
      expect(outcomes).toEqual([401, 401, 200, 401, 401]);
    },
  );

  securityTest(
    attack("L04", "H", {
      source: "revoked keys",
      title: "a cached token whose key was removed, or replaced under the same id",
      outcome: "401 from the change on",
    }),
    async () => {
      const { harness, token, status } = await warm();
      await harness.apply(requestAuthentication(publicJwks("ec-p256")));
      expect(await status(token)).toBe(401);
      await harness.apply(RA1);
      expect(await status(token)).toBe(200);
      const impostor = publicJwks("rogue-rsa-2048").replaceAll("rogue-rsa-2048", "rsa-2048");
      await harness.apply(requestAuthentication(impostor));
      expect(await status(token)).toBe(401);
    },
  );

  securityTest(
    attack("L05", "H", {
      source: "cached decisions",
      title: "a request that was allowed, after its policy changed",
      outcome: "judged anew; only verified signatures are remembered",
    }),
    async () => {
      const { harness, token, status } = await warm();
      await harness.apply(RA1 + GRP);
      expect(await status(token)).toBe(403);
      await harness.apply(RA1 + ANYJWT);
      expect(await status(token)).toBe(200);
      await harness.apply(RA1 + authorizationPolicy("deny", "action: DENY, rules: [{}]"));
      expect(await status(token)).toBe(403);
      await harness.apply(RA1.replace("jwks:", "audiences: [other]\n      jwks:"));
      expect(await status(token)).toBe(403);
    },
  );

  securityTest(
    attack("L06", "M", {
      source: "poisoned negative entries",
      title: "a good token that came before its keys",
      outcome: "accepted as soon as they arrive; failures are not remembered",
    }),
    async () => {
      const receiver = createPolicyReceiver(() => NOW_SEC * 1000);
      const resources = translatePolicies(RA1).flatMap((one) => one.resources);
      const [keySet] = resources.filter(({ kind }) => kind === "KeySet");
      const { meshConfig } = parseMeshConfig("");
      if (keySet?.kind !== "KeySet") throw new Error("no key set");
      const others = resources.filter(({ kind }) => kind !== "KeySet");
      const pending = { ...keySet, state: "unavailable", keys: [] } as const;
      const upserts = [meshConfig, ...others, pending].map((resource) => held(resource));
      await receiver.apply({ setVersion: "1", upserts, removed: [] });
      const token = forge();
      for (let i = 0; i < 3; i++) expect((await receiver.check({ token }))?.status).toBe(401);
      await receiver.apply({ setVersion: "2", upserts: [held(keySet)], removed: [] });
      expect((await receiver.check({ token }))?.status).toBe(200);
    },
  );

  securityTest(
    attack("L07", "M", {
      source: "cache flooding",
      title: "more valid tokens than the cache holds",
      outcome: "bounded by count and bytes, least recently used go first; hits are counted",
    }),
    async () => {
      const tokenCache = { entries: 50, bytes: 1_000_000 };
      const harness = await serverAtNow(RA1, { tokenCache });
      const tokens = Array.from({ length: 200 }, (_, i) => forge({ claims: { i } }));
      for (const token of tokens) expect((await harness.check({ token })).status).toBe(200);
      for (const token of tokens.slice(0, 100)) expect((await harness.check({ token })).status).toBe(200);
      expect(await lookups(harness, "hit")).toBe(0);
      for (const token of tokens.slice(60, 100)) expect((await harness.check({ token })).status).toBe(200);
      expect(await lookups(harness, "hit")).toBe(40);

      const few = await serverAtNow(RA1, { tokenCache: { entries: 1000, bytes: 20_000 } });
      const large = Array.from({ length: 10 }, (_, i) => forge({ claims: { i, filler: "x".repeat(6000) } }));
      for (const token of [...large, ...large]) expect((await few.check({ token })).status).toBe(200);
      expect(await lookups(few, "hit")).toBe(0);
    },
  );
});

describe("policy that is old, or was never there", () => {
  securityTest(
    attack("L08", "H", {
      source: "stale policy",
      title: "a controller that has gone",
      outcome: "the last good policy is enforced on; its age is a metric",
    }),
    async () => {
      const clock = { nowSec: NOW_SEC };
      const { meshConfig } = parseMeshConfig("");
      const receiver = createPolicyReceiver(() => clock.nowSec * 1000);
      const resources = translatePolicies(RA1 + ANYJWT).flatMap((one) => one.resources);
      const upserts = [meshConfig, ...resources].map((resource) => held(resource));
      await receiver.apply({ setVersion: "1", upserts, removed: [] });
      clock.nowSec += 8 * 3600;
      const fresh = forge({ claims: { exp: clock.nowSec + 60 } });
      expect([(await receiver.check())?.status, (await receiver.check({ token: fresh }))?.status]).toEqual([403, 200]);
      expect((await receiver.check({ token: forge() }))?.status).toBe(401);

      const age = async () => /^gatehouse_authz_policy_set_age_seconds (\S+)$/m.exec(await receiver.metrics())?.[1];
      expect(await age()).toBe(`${8 * 3600}`);
      clock.nowSec += 60;
      expect(await age()).toBe(`${8 * 3600 + 60}`);
    },
  );

  securityTest(
    attack("L08", "H", {
      source: "stale policy",
      title: "a controller that has gone for longer than maxPolicyAge allows",
      outcome: "not ready; every check fails, none is allowed",
    }),
    async () => {
      const gatehouse = await startGatehouse({ policies: RA1 });
      const server = await startAuthzServer({
        controller: gatehouse.xdsAddress,
        listeners: [{ address: "127.0.0.1:0", identity: null }],
        transport: testTransport(),
        drain: { waitMs: 0, deadlineMs: 1_000 },
        maxPolicyAgeMs: 500,
        log: pino({ level: "silent" }),
        registry: new Registry(),
      });
      const client = connectCheckClient(Number(server.checkAddresses[0]?.split(":").at(-1)));
      const isReady = () => server.readiness().every(({ ok }) => ok);
      try {
        await waitFor("the server is ready", isReady);
        expect((await client.check()).status).toBe(200);
        await gatehouse.stop();
        await waitFor("the policy is too old", () => !isReady());
        await expect(client.check()).rejects.toMatchObject({ code: status.UNAVAILABLE });
      } finally {
        client.stop();
        await server.stop();
        await gatehouse.stop();
      }
    },
  );

  securityTest(
    attack("L09", "H", {
      source: "start without policy",
      title: "a server that never had a policy, or one without settings of the mesh",
      outcome: "not ready; every check fails, none is allowed",
    }),
    async () => {
      const receiver = createPolicyReceiver();
      expect(await receiver.check()).toBeNull();
      const resources = translatePolicies(authorizationPolicy("open", "rules: [{}]")).flatMap((one) => one.resources);
      const upserts = resources.map((resource) => held(resource));
      await receiver.apply({ setVersion: "1", upserts, removed: [] });
      expect(await receiver.check()).toBeNull();
    },
  );

  securityTest(
    attack("L10", "M", {
      source: "clock steps",
      title: "a host clock that jumps an hour back and forth",
      outcome: "tokens follow the wall clock of the moment",
    }),
    async () => {
      const { token, clock, status } = await warm();
      const seen: number[] = [];
      for (const hours of [-1, 0, 2, 0, 1, -100]) {
        clock.nowSec = NOW_SEC + hours * 3600;
        seen.push(await status(token));
      }
      expect(seen).toEqual([200, 200, 401, 200, 200, 200]);
    },
  );
});
