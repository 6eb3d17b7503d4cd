import { waitFor } from "../../support/wait-for.ts";

/** How long a fault lasts: `long` as operators know it with `CLUSTER_SOAK=1` (`make soak`), else `short`, which is enough to show it. */
export function outageSeconds(short: number, long: number): number {
  return process.env["CLUSTER_SOAK"] === "1" ? long : short;
}

/** For a test with such a fault: that, and what it takes to start and to recover, twice over. */
export function outageTimeoutMs(seconds: number): number {
  return (2 * seconds + 300) * 1000;
}

/**
 * Lets a fault last.
 * @param sinceMs when it began, as of `performance.now()`
 * @param check looks all the time; what it throws ends the test
 */
export async function lastUntil(sinceMs: number, seconds: number, check: () => void | Promise<void>): Promise<void> {
  const untilMs = sinceMs + seconds * 1000;
  const probe = async (): Promise<boolean> => {
    await check();
    return performance.now() >= untilMs;
  };
  await waitFor(`${seconds} s have passed`, probe, seconds * 1000 + 60_000);
}
