import type { JwtSummary } from "./known-jwt.ts";
import { TokenDigests } from "./token-digests.ts";

/** A token whose signature the key set with this id has verified. */
export interface VerifiedToken {
  readonly jwt: JwtSummary;
  readonly keySetId: number;
}

/**
 * `entries` 0 switches the cache off. `bytes` counts the texts of the tokens, of which only some are kept (`token-digests.ts`); what is kept
 * of them is mostly less.
 */
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
  readonly #entries = new Map<string, Entry>();
  // Ends of a list in order of use. The order of the Map itself would do, but each use had to take an entry out and put it back:
  // of a full Map of 100,000 the first entry is found behind some ten thousand holes, and now and then all are moved to close them.
  #newest: Entry | null = null;
  #oldest: Entry | null = null;
  #bytes = 0;
  readonly #digests = new TokenDigests();
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

  /** The key of a token. @param text all of it */
  digestOf(text: string): string {
    return this.#digests.of(text);
  }

  /** @param digest of the whole token, so that no part that an attacker could vary is left out */
  get(digest: string): VerifiedToken | undefined {
    const entry = this.#entries.get(digest);
    this.#onLook(entry === undefined ? "miss" : "hit");
    if (entry === undefined) return undefined;
    if (entry !== this.#newest) {
      this.#unlink(entry);
      this.#linkAsNewest(entry);
    }
    return entry;
  }

  add(digest: string, { jwt, keySetId }: VerifiedToken): void {
    const known = this.#entries.get(digest);
    if (known !== undefined) this.#remove(known);
    const entry: Entry = { digest, jwt, keySetId, newer: null, older: null };
    this.#entries.set(digest, entry);
    this.#linkAsNewest(entry);
    this.#bytes += sizeOf(entry);
    // At least the new one goes when it alone is too large.
    while (this.#oldest !== null && (this.#entries.size > this.#limits.entries || this.#bytes > this.#limits.bytes)) {
      this.#remove(this.#oldest);
    }
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.digest);
    this.#unlink(entry);
    this.#bytes -= sizeOf(entry);
  }

  #linkAsNewest(entry: Entry): void {
    entry.older = this.#newest;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink(entry: Entry): void {
    const { newer, older } = entry;
    if (newer === null) this.#newest = older;
    else newer.older = older;
    if (older === null) this.#oldest = newer;
    else older.newer = newer;
    entry.newer = null;
    entry.older = null;
  }
}

interface Entry extends VerifiedToken {
  readonly digest: string;
  newer: Entry | null;
  older: Entry | null;
}

// What is held of a token is bounded by its text, and some hundred bytes.
function sizeOf({ jwt }: VerifiedToken): number {
  return jwt.bytes;
}
