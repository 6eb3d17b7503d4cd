import { createKeyFetcher, type FetchOutcome, KeyRefresher, type RefresherOptions } from "@gatehouse/controller/jwks";
import type { KeySource } from "@gatehouse/controller/translate";
import type { KeySet } from "@gatehouse/protos";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { publicJwks, type TestKeyName } from "../support/jwt.ts";
import { startKeyIssuer } from "../support/key-issuer.ts";
import { OPEN } from "./fixtures/key-fetching.ts";
import { attacksAt, securityTest } from "./register.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const DAY_MS = 24 * 60 * MINUTE_MS;

let clock: FakeClock;
let answers: Map<string, FetchOutcome | "hang">;
let fetched: { readonly keySet: string; readonly atMs: number }[];
let refreshers: KeyRefresher[];
let changes: number;

beforeEach(() => {
  clock = createFakeClock();
  answers = new Map();
  fetched = [];
  refreshers = [];
  changes = 0;
});

afterEach(() => Promise.all(refreshers.map((refresher) => refresher.stop())));

const attack = attacksAt("unit");

function source(name: string): KeySource {
  return { keySet: `remote-${name}`, issuer: `https://${name}.example`, uri: "", timeoutMs: 5000 };
}

const KEY = { kty: "OKP", crv: "Ed25519", kid: "k", alg: "", x: "" } as const;

function keysOf(...kids: readonly string[]): FetchOutcome {
  const keys = kids.map((kid) => ({ ...KEY, kid }));
  return { kind: "keys", keys, skipped: [], freshMs: null };
}

const DOWN: FetchOutcome = { kind: "failure", class: "connect", detail: "no connection" };

function create(options: Partial<RefresherOptions> = {}): KeyRefresher {
  const refresher = new KeyRefresher({
    intervalMs: 20 * MINUTE_MS,
    maxStaleMs: 7 * DAY_MS,
    clock,
    random: () => 0.5,
    saved: [],
    onChange: () => {
      changes += 1;
    },
    onAttempt: () => undefined,
    async fetch({ keySet }, signal) {
      fetched.push({ keySet, atMs: clock.steadyMs() });
      const answer = answers.get(keySet) ?? DOWN;
      if (answer !== "hang") return answer;
      await new Promise<void>((resolve) => {
        const cancel = clock.after(5000, resolve);
        signal.addEventListener("abort", () => {
          cancel();
          resolve();
        });
      });
      return { kind: "failure", class: "timeout", detail: "no complete answer in time" };
    },
    ...options,
  });
  refreshers.push(refresher);
  return refresher;
}

function stateOf(refresher: KeyRefresher, name: string): string {
  const health = refresher.health().find(({ keySet }) => keySet === `remote-${name}`);
  return `${health?.state} ${health?.keys}`;
}

function taken(refresher: KeyRefresher): readonly (KeySet | null)[] {
  return [...refresher.takeChanges().values()];
}

function fetchesOf(name: string): number {
  return fetched.filter(({ keySet }) => keySet === `remote-${name}`).length;
}

describe("keys that were good stay", () => {
  securityTest(
    attack("I12", "H", {
      source: "Istio stores a body before it validates it",
      title: "good keys, then an empty object, a list, no keys, garbage, errors",
      outcome: "the keys stay; that there are none is believed when it is said twice in a row",
    }),
    async () => {
      const issuer = await startKeyIssuer();
      try {
        const ended: (() => void)[] = [];
        const fetch = createKeyFetcher(OPEN);
        const refresher = create({ fetch, onAttempt: () => ended.shift()?.() });
        const attempt = (start: () => void) =>
          new Promise<void>((resolve) => {
            ended.push(resolve);
            start();
          });
        const say = (body: string) => {
          issuer.say(body);
          return attempt(() => void clock.advance(20 * MINUTE_MS));
        };
        issuer.say(publicJwks("rsa-2048"));
        await attempt(() => refresher.setSources("a", [{ ...source("a"), uri: issuer.origin }]));
        const bad = ["{}", "[]", '{"keys":[]}', "garbage", '{"keys":[{"kty":"RSA"}]}', ""];
        for (const body of bad) {
          await say(body);
          expect(stateOf(refresher, "a"), body).toBe("ready 1");
        }
        issuer.answer((_request, response) => void response.writeHead(500).end(publicJwks("ec-p256")));
        await attempt(() => void clock.advance(20 * MINUTE_MS));
        expect(stateOf(refresher, "a")).toBe("ready 1");
        await say(publicJwks("rsa-2048", "ec-p256"));
        expect(stateOf(refresher, "a")).toBe("ready 2");
        await say('{"keys":[]}');
        expect(stateOf(refresher, "a")).toBe("ready 2");
        await say('{"keys":[]}');
        expect(stateOf(refresher, "a")).toBe("noValidKeys 0");
        await say(publicJwks("rsa-2048"));
        expect(stateOf(refresher, "a")).toBe("ready 1");
      } finally {
        await issuer.stop();
      }
    },
  );

  securityTest(
    attack("I23", "M", {
      source: "an issuer that is down for days",
      title: "ten days without an answer",
      outcome: "the last keys are used for seven days, then none; back at once when it answers again",
    }),
    async () => {
      answers.set("remote-a", keysOf("k"));
      const refresher = create();
      refresher.setSources("a", [source("a")]);
      await clock.advance(MINUTE_MS);
      answers.set("remote-a", DOWN);
      await clock.advance(7 * DAY_MS - 5 * MINUTE_MS);
      expect(stateOf(refresher, "a")).toBe("ready 1");
      expect(refresher.health()[0]).toMatchObject({ lastFailure: { class: "connect" } });
      await clock.advance(10 * MINUTE_MS);
      expect(stateOf(refresher, "a")).toBe("unavailable 0");
      await clock.advance(3 * DAY_MS);
      answers.set("remote-a", keysOf("k"));
      await clock.advance(MINUTE_MS);
      expect(stateOf(refresher, "a")).toBe("ready 1");
      // Sixty seconds between attempts, not one.
      expect(fetched.length).toBeGreaterThan(10 * 24 * 60 * 0.9);
      expect(fetched.length).toBeLessThan(10 * 24 * 60 * 1.2);
    },
    30_000,
  );

  it("survive a restart of the controller, with the age that they have by then", async () => {
    answers.set("remote-a", keysOf("k"));
    const before = create();
    before.setSources("a", [source("a")]);
    await clock.advance(MINUTE_MS);
    const saved = before.toSave();
    await before.stop();
    answers.set("remote-a", DOWN);
    const after = create({ saved });
    after.setSources("a", [source("a")]);
    expect(taken(after)).toMatchObject([{ state: "ready", keys: [{ kid: "k" }] }]);
    await clock.advance(7 * DAY_MS);
    expect(stateOf(after, "a")).toBe("unavailable 0");
    const tooLate = create({ saved });
    tooLate.setSources("a", [source("a")]);
    expect(taken(tooLate)).toMatchObject([{ state: "unavailable", keys: [] }]);
  });
});

describe("rotation", () => {
  securityTest(
    attack("I13", "H", {
      source: "rotation",
      title: "keys A, then A and B, then B; the same without overlap",
      outcome: "B within the interval, or at once when it is first seen; A is gone after its removal",
    }),
    async () => {
      const refresher = create();
      answers.set("remote-a", keysOf("A"));
      refresher.setSources("a", [source("a")]);
      await clock.advance(MINUTE_MS);
      taken(refresher);
      answers.set("remote-a", keysOf("A", "B"));
      await clock.advance(20 * MINUTE_MS);
      expect(taken(refresher)).toMatchObject([{ keys: [{ kid: "A" }, { kid: "B" }] }]);
      answers.set("remote-a", keysOf("B"));
      await clock.advance(20 * MINUTE_MS);
      expect(taken(refresher)).toMatchObject([{ keys: [{ kid: "B" }] }]);
      answers.set("remote-a", keysOf("C"));
      refresher.hint("remote-a");
      await clock.advance(0);
      expect(taken(refresher)).toMatchObject([{ keys: [{ kid: "C" }] }]);
      expect(changes).toBe(4);
    },
  );

  securityTest(
    attack("I14", "H", {
      source: "unknown-kid flood",
      title: "a thousand tokens a second with made-up keys, for ten minutes; a rotation in between",
      outcome: "one extra fetch in 30 s; the new key within 30 s",
    }),
    async () => {
      const refresher = create();
      answers.set("remote-a", keysOf("A"));
      refresher.setSources("a", [source("a")]);
      await clock.advance(SECOND_MS);
      fetched = [];
      for (let second = 0; second < 600; second++) {
        for (let i = 0; i < 1000; i++) refresher.hint("remote-a");
        await clock.advance(SECOND_MS);
        if (second === 301) answers.set("remote-a", keysOf("B"));
        if (second === 331)
          expect(refresher.takeChanges().get("KeySet//remote-a")).toMatchObject({ keys: [{ kid: "B" }] });
      }
      const gaps = fetched.slice(1).map(({ atMs }, i) => atMs - (fetched[i]?.atMs ?? 0));
      expect(Math.min(...gaps)).toBeGreaterThanOrEqual(30 * SECOND_MS);
      expect(fetched.length).toBeLessThanOrEqual(21);
      refresher.hint("remote-nobody");
      await clock.advance(SECOND_MS);
      expect(fetchesOf("nobody")).toBe(0);
    },
    30_000,
  );

  it("is seen though the unknown key came while an older answer was on its way", async () => {
    const refresher = create();
    answers.set("remote-a", "hang");
    refresher.setSources("a", [source("a")]);
    refresher.hint("remote-a");
    answers.set("remote-a", keysOf("B"));
    await clock.advance(5 * SECOND_MS);
    expect(stateOf(refresher, "a")).toBe("ready 1");
  });
});

describe("many sources", () => {
  securityTest(
    attack("I15", "H", {
      source: "stampede",
      title: "500 policies with one source, three replicas",
      outcome: "one fetch an interval and replica, at different times",
    }),
    async () => {
      answers.set("remote-a", keysOf("A"));
      const [first, ...others] = [0.1, 0.5, 0.9].map((random) => create({ random: () => random }));
      for (const refresher of [first, ...others]) {
        for (let i = 0; i < 500; i++) refresher?.setSources(`policy-${i}`, [source("a")]);
      }
      await clock.advance(MINUTE_MS);
      expect(fetched).toHaveLength(3);
      await clock.advance(20 * MINUTE_MS);
      expect(fetched).toHaveLength(6);
      expect(new Set(fetched.slice(3).map(({ atMs }) => atMs)).size).toBe(3);
      for (let i = 1; i < 500; i++) first?.setSources(`policy-${i}`, []);
      expect(first?.health()).toHaveLength(1);
      first?.setSources("policy-0", []);
      expect(first?.takeChanges().get("KeySet//remote-a")).toBeNull();
    },
  );

  it("are fetched on time though one of them hangs", async () => {
    const names = Array.from({ length: 50 }, (_, i) => `issuer-${i}`);
    for (const name of names) answers.set(`remote-${name}`, keysOf("k"));
    answers.set("remote-issuer-7", "hang");
    const refresher = create();
    refresher.setSources("all", names.map(source));
    await clock.advance(0);
    expect(names.filter((name) => stateOf(refresher, name) === "ready 1")).toHaveLength(49);
    await clock.advance(2 * 60 * MINUTE_MS);
    const expected = Math.floor((2 * 60) / 19) + 1;
    for (const name of names.filter((other) => other !== "issuer-7")) expect(fetchesOf(name), name).toBe(expected);
    expect(stateOf(refresher, "issuer-7")).toBe("unavailable 0");
    const first = fetched.filter(({ keySet }) => keySet === "remote-issuer-7").map(({ atMs }) => atMs / SECOND_MS);
    // One attempt of 5 s, then 1 s, 2 s, 4 s... in between, a tenth of them off for spreading.
    expect(first.slice(0, 4).map(Math.round)).toEqual([0, 6, 13, 21]);
  });

  it("follow what their answers say about their age, never below 30 s", async () => {
    const refresher = create();
    const fresh = (freshMs: number): FetchOutcome => ({ kind: "keys", keys: [KEY], skipped: [], freshMs });
    answers.set("remote-now", fresh(0));
    answers.set("remote-minute", fresh(MINUTE_MS));
    answers.set("remote-year", fresh(365 * DAY_MS));
    refresher.setSources("all", ["now", "minute", "year"].map(source));
    await clock.advance(19 * MINUTE_MS + SECOND_MS);
    expect(["now", "minute", "year"].map(fetchesOf)).toEqual([37, 21, 2]);
  });

  securityTest(
    attack("I21", "H", {
      source: "tenant key confusion",
      title: "two namespaces with one issuer and two key servers",
      outcome: "each source has its own keys; an issuer alone names none",
    }),
    async () => {
      const kids: readonly TestKeyName[] = ["rsa-2048", "ec-p256"];
      const sources = kids.map((kid) => ({
        ...source(kid),
        issuer: "https://same.example",
        uri: `https://${kid}/keys`,
      }));
      for (const kid of kids) answers.set(`remote-${kid}`, keysOf(kid));
      const refresher = create();
      for (const [i, one] of sources.entries()) refresher.setSources(`RequestAuthentication/${i}/ra`, [one]);
      await clock.advance(SECOND_MS);
      expect(taken(refresher)).toMatchObject(kids.map((kid) => ({ name: `remote-${kid}`, keys: [{ kid }] })));
    },
  );
});
