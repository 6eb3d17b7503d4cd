import { setTimeout as delay } from "node:timers/promises";

/**
 * Asks again and again until `probe` yields a value other than undefined or false.
 * Rejects at once when `probe` throws, and after `timeoutMs` with a message that names what was waited for.
 * @param what the condition as a sentence: "Envoy is live"
 */
export async function waitFor<Value>(
  what: string,
  probe: () => Promise<Value | undefined | false> | Value | undefined | false,
  timeoutMs = 15_000,
): Promise<Value> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until: ${what}`);
    await delay(20);
  }
}
