import { beforeEach, describe, expect, it } from "vitest";
import { createFakeClock, type FakeClock } from "../../../test/support/fake-clock.ts";
import type { KeySource } from "../translate/report.ts";
import { KeyRefresher } from "./refresher.ts";

let clock: FakeClock;
let asked: KeySource[];
let refresher: KeyRefresher;

beforeEach(() => {
  clock = createFakeClock();
  asked = [];
  refresher = new KeyRefresher({
    clock,
    random: () => 0.5,
    intervalMs: 60_000,
    maxStaleMs: 3_600_000,
    saved: [],
    onChange: () => undefined,
    onAttempt: () => undefined,
    // A server that never answers.
    fetch: (source) => {
      asked.push(source);
      return new Promise(() => undefined);
    },
  });
});

function source(keySet: string, timeoutMs = 5000): KeySource {
  return { keySet, issuer: "", uri: "", timeoutMs };
}

describe("a source of keys", () => {
  it("that does not answer is waited for once, not by every change of policy", async () => {
    refresher.setSources("a", [source("dead")]);
    const first = refresher.settle(500);
    await clock.advance(499);
    expect(await Promise.race([first.then(() => "over"), "waiting"])).toBe("waiting");
    await clock.advance(1);
    await first;
    await refresher.settle(500); // at once: the clock stands still
    refresher.setSources("b", [source("other")]);
    const second = refresher.settle(500);
    expect(await Promise.race([second.then(() => "over"), "waiting"])).toBe("waiting");
    await clock.advance(500);
    await second;
  });

  it("costs no more for each object that needs it than the objects before", () => {
    const startMs = performance.now();
    for (let i = 0; i < 150_000; i++) refresher.setSources(`RequestAuthentication/a/${i}`, [source("shared", i % 7)]);
    expect(performance.now() - startMs).toBeLessThan(10_000);
    expect(refresher.ownersOf("shared")).toHaveLength(150_000);
  });
});
