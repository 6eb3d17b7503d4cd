/** More are made anew. */
const MAX_KEPT = 8192;

/** Longer descriptions are hardly ever equal. */
const MAX_KEY_LENGTH = 1024;

/**
 * Keeps what was compiled last, so that policies with equal parts share them: of thousands of policies, most ask for the same methods,
 * namespaces and claims.
 */
export class Shared<Compiled> {
  readonly #kept = new Map<string, Compiled>();

  /** @param key says all that the compiled form depends on */
  get(key: string, compile: () => Compiled): Compiled {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const compiled = compile();
    if (key.length > MAX_KEY_LENGTH) return compiled;
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(key, compiled);
    return compiled;
  }
}
