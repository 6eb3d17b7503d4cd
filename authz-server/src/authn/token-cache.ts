import type { Jwt } from "./jwt.ts";

/** A token whose signature the key set with this id has verified. */
export interface VerifiedToken {
  readonly jwt: Jwt;
  readonly keySetId: number;
}

/** `entries` 0 switches the cache off. `bytes` counts the texts of the tokens; taken apart they need several times that. */
export interface TokenCacheLimits {
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Remembers tokens whose signature was verified, and by which key set. Issuer, times and audiences are checked again at every use,
 * so an entry never outlives its `exp`; a new version of a key set has a new id, so its tokens are verified again.
 * Least recently used entries go first. Failures are not remembered.
 */
export class TokenCache {
  readonly #limits: TokenCacheLimits;
  readonly #entries = new Map<string, VerifiedToken>();
  #bytes = 0;
  readonly #onLook: (result: "hit" | "miss") => void;

  /** @param onLook hears of every look-up */
  constructor(limits: TokenCacheLimits, onLook: (result: "hit" | "miss") => void) {
    this.#limits = limits;
    this.#onLook = onLook;
  }

  /** How many tokens are held, and the bytes of their texts. */
  get size(): TokenCacheLimits {
    return { entries: this.#entries.size, bytes: this.#bytes };
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
    this.#remove(digest);
    this.#entries.set(digest, entry);
    this.#bytes += sizeOf(entry);
    // At least the new one goes when it alone is too large.
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#limits.entries && this.#bytes <= this.#limits.bytes) return;
      this.#remove(oldest);
    }
  }

  #remove(digest: string): void {
    const entry = this.#entries.get(digest);
    if (entry === undefined) return;
    this.#entries.delete(digest);
    this.#bytes -= sizeOf(entry);
  }
}

// What is held of a token grows with its text.
function sizeOf({ jwt }: VerifiedToken): number {
  return jwt.signingInput.length + jwt.signature.length;
}
