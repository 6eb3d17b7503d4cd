import type { KeyOptions } from "@gatehouse/controller";

/** A clock that only moves when it is told to. */
export interface FakeClock extends NonNullable<KeyOptions["clock"]> {
  /** Moves on by so much, calling back on the way, and lets what was called back finish. */
  advance(ms: number): Promise<void>;
}

/** @param startMs wall clock at the start, in milliseconds since the epoch */
export function createFakeClock(startMs = Date.UTC(2030, 0, 1)): FakeClock {
  let nowMs = 0;
  const timers = new Set<{ readonly atMs: number; readonly callback: () => void }>();
  const next = (untilMs: number) =>
    [...timers]
      .filter(({ atMs }) => atMs <= untilMs)
      .reduce<{ atMs: number; callback: () => void } | null>(earlier, null);
  return {
    wallMs: () => startMs + nowMs,
    steadyMs: () => nowMs,
    after(delayMs, callback) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), callback };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await finished();
      for (let timer = next(untilMs); timer !== null; timer = next(untilMs)) {
        timers.delete(timer);
        nowMs = Math.max(nowMs, timer.atMs);
        timer.callback();
        await finished();
      }
      nowMs = untilMs;
      await finished();
    },
  };
}

function earlier<Timer extends { readonly atMs: number }>(a: Timer | null, b: Timer): Timer {
  return a === null || b.atMs < a.atMs ? b : a;
}

/** Everything that follows without waiting for anything outside. */
async function finished(): Promise<void> {
  for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate);
}
