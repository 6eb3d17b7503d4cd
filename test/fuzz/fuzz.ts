import { setImmediate } from "node:timers/promises";
import fc from "fast-check";

/** Inputs for each target: 20,000, or what the variable FUZZ_RUNS says (`make soak`). */
export const FUZZ_RUNS: number = Number(process.env["FUZZ_RUNS"] ?? 20_000);

/** Time for all inputs of one target, in milliseconds; a target that hangs fails by it. */
export const FUZZ_TIMEOUT_MS: number = 60_000 + FUZZ_RUNS * 5;

/**
 * CPU time of this thread that no single input may take. An input that took longer is given
 * again: what was compiled or collected meanwhile does not count twice.
 */
const MAX_CPU_MS = 50;

/** Inputs between two turns of the event loop, which let go of the sockets and streams that a law leaves behind. */
const TURN_AFTER = 500;

/** Asserts a law for many inputs, each within bounded time. */
export async function fuzz<Input>(
  inputs: fc.Arbitrary<Input>,
  law: (input: Input) => void | Promise<void>,
): Promise<void> {
  let inputsSeen = 0;
  const property = fc.asyncProperty(inputs, async (input) => {
    inputsSeen += 1;
    if (inputsSeen % TURN_AFTER === 0) await setImmediate();
    const tookMs = await cpuMsOf(() => law(input));
    if (tookMs <= MAX_CPU_MS) return;
    const againMs = await cpuMsOf(() => law(input));
    if (againMs > MAX_CPU_MS)
      throw new Error(`took ${Math.round(tookMs)} ms of CPU, and ${Math.round(againMs)} ms when given again`);
  });
  await fc.assert(property, { numRuns: FUZZ_RUNS });
}

/** Texts that are glued together from pieces which mean something to the target, with noise between. */
export function soup(pieces: readonly string[], maxLength = 12): fc.Arbitrary<string> {
  const noise = fc.string({ unit: "binary", maxLength: 3 });
  const piece = fc.constantFrom(...pieces);
  return fc
    .array(fc.oneof({ weight: 6, arbitrary: piece }, { weight: 1, arbitrary: noise }), { maxLength })
    .map((parts) => parts.join(""));
}

async function cpuMsOf(run: () => void | Promise<void>): Promise<number> {
  const before = process.threadCpuUsage();
  const waiting = run();
  if (waiting !== undefined) await waiting;
  const { user, system } = process.threadCpuUsage(before);
  return (user + system) / 1000;
}
