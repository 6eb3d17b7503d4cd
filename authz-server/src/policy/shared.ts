/** Longer descriptions of conditions and rules are hardly ever equal. */
const MAX_KEY_LENGTH = 1024;

/**
 * Finds what was compiled before, so that policies with equal parts share them: of thousands of policies, most ask for the same methods,
 * namespaces and claims. Keeps nothing alive: what no policy holds any more is forgotten.
 */
export class Shared<Compiled extends object> {
  readonly #maxKeyLength: number;
  readonly #known = new Map<string, WeakRef<Compiled>>();
  readonly #collected = new FinalizationRegistry((key: string) => {
    // Under its key something newer may stand already.
    if (this.#known.get(key)?.deref() === undefined) this.#known.delete(key);
  });

  /** @param maxKeyLength what has a longer key is made anew each time */
  constructor(maxKeyLength: number = MAX_KEY_LENGTH) {
    this.#maxKeyLength = maxKeyLength;
  }

  /** How many are known, some of which may be gone. */
  get size(): number {
    return this.#known.size;
  }

  /** @param key says all that the compiled form depends on @returns what the caller has to hold, as long as it is to be shared */
  get(key: string, compile: () => Compiled): Compiled {
    if (key.length > this.#maxKeyLength) return compile();
    const known = this.#known.get(key)?.deref();
    if (known !== undefined) return known;
    const compiled = compile();
    this.#known.set(key, new WeakRef(compiled));
    this.#collected.register(compiled, key);
    return compiled;
  }
}
