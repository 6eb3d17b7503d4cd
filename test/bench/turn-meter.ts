import { threadCpuMicroseconds } from "./thread-cpu.ts";

/** The longest turns of this process's event loop. */
export interface TurnMeter {
  /** What was measured since the last call, in milliseconds. */
  take(): LongestTurn;
}

/** The longest turn by the CPU time of this thread, and by the clock: the latter counts what other processes took away, too. */
export interface LongestTurn {
  readonly cpuMs: number;
  readonly wallMs: number;
}

const INTERVAL_MS = 2;

/** Looks every 2 ms; a look that comes late tells how long the turns before it were. */
export function startTurnMeter(): TurnMeter {
  let longest = { cpuMs: 0, wallMs: 0 };
  let last = now();
  setInterval(() => {
    const next = now();
    const turn = { cpuMs: next.cpuMs - last.cpuMs, wallMs: next.wallMs - last.wallMs };
    longest = { cpuMs: Math.max(longest.cpuMs, turn.cpuMs), wallMs: Math.max(longest.wallMs, turn.wallMs) };
    last = next;
  }, INTERVAL_MS).unref();
  return {
    take() {
      const taken = longest;
      longest = { cpuMs: 0, wallMs: 0 };
      last = now();
      return taken;
    },
  };
}

function now(): LongestTurn {
  return { cpuMs: threadCpuMicroseconds() / 1000, wallMs: performance.now() };
}
