import fc from "fast-check";

/** Inputs for each target: 20,000, or what the variable FUZZ_RUNS says (`make soak`). */
export const FUZZ_RUNS: number = Number(process.env["FUZZ_RUNS"] ?? 20_000);

/** Time for all inputs of one target, in milliseconds; a target that hangs fails by it. */
export const FUZZ_TIMEOUT_MS: number = 60_000 + FUZZ_RUNS * 5;

/** No single input may keep the process busy for longer. Far more than any should need: other processes share the machine. */
const MAX_MS = 500;

/** Asserts a law for many inputs, each within bounded time. */
export function fuzz<Input>(inputs: fc.Arbitrary<Input>, law: (input: Input) => void): void {
  fc.assert(
    fc.property(inputs, (input) => within(() => law(input))),
    { numRuns: FUZZ_RUNS },
  );
}

/** The same for laws that wait. */
export async function fuzzAsync<Input>(
  inputs: fc.Arbitrary<Input>,
  law: (input: Input) => Promise<void>,
): Promise<void> {
  await fc.assert(fc.asyncProperty(inputs, law), { numRuns: FUZZ_RUNS });
}

/** Texts that are glued together from pieces which mean something to the target, with noise between. */
export function soup(pieces: readonly string[], maxLength = 12): fc.Arbitrary<string> {
  const noise = fc.string({ unit: "binary", maxLength: 3 });
  const piece = fc.constantFrom(...pieces);
  return fc
    .array(fc.oneof({ weight: 6, arbitrary: piece }, { weight: 1, arbitrary: noise }), { maxLength })
    .map((parts) => parts.join(""));
}

function within(run: () => void): void {
  const startedMs = performance.now();
  run();
  const tookMs = performance.now() - startedMs;
  if (tookMs > MAX_MS) throw new Error(`took ${Math.round(tookMs)} ms`);
}
