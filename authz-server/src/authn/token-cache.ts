import type { Jwt } from "./jwt.ts";

/** A token whose signature the key set with this id has verified. */
export interface VerifiedToken {
  readonly jwt: Jwt;
  readonly keySetId: number;
}

/**
 * Remembers tokens whose signature was verified, and by which key set. Issuer, times and audiences are checked again at every use,
 * so an entry never outlives its `exp`; a new version of a key set has a new id, so its tokens are verified again.
 * Least recently used entries go first. Failures are not remembered.
 */
export class TokenCache {
  readonly #maxEntries: number;
  readonly #entries = new Map<string, VerifiedToken>();
  readonly #onLook: (result: "hit" | "miss") => void;

  /**
   * @param maxEntries 0 switches the cache off
   * @param onLook hears of every look-up
   */
  constructor(maxEntries: number, onLook: (result: "hit" | "miss") => void) {
    this.#maxEntries = maxEntries;
    this.#onLook = onLook;
  }

  /** @param digest of the whole token, so that no part that an attacker could vary is left out */
  get(digest: string): VerifiedToken | undefined {
    const entry = this.#entries.get(digest);
    this.#onLook(entry === undefined ? "miss" : "hit");
    if (entry === undefined) return undefined;
    this.#entries.delete(digest);
    this.#entries.set(digest, entry);
    return entry;
  }

  add(digest: string, entry: VerifiedToken): void {
    if (this.#maxEntries === 0) return;
    if (this.#entries.size >= this.#maxEntries) this.#dropOldest();
    this.#entries.set(digest, entry);
  }

  #dropOldest(): void {
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }
}
