import type { JwtFailure } from "./jwt-status.ts";
import { type ImportedKeySet, verifySignature } from "./key-set.ts";
import { KnownJwt } from "./known-jwt.ts";
import type { TokenCache } from "./token-cache.ts";

/** A token of one request: digested, parsed and verified once, whatever the number of rules that look at it. */
export class PresentedToken {
  readonly text: string;
  readonly #cache: TokenCache;
  #digest = "";
  #parsed: KnownJwt | JwtFailure | undefined;
  #verifiedBy = 0;
  /** Some rules look at a token again; its signature is checked once for each key set. */
  #failures: Map<ImportedKeySet, JwtFailure> | undefined;

  constructor(text: string, cache: TokenCache) {
    this.text = text;
    this.#cache = cache;
  }

  /** The token taken apart, by now or by an earlier request. */
  get jwt(): KnownJwt | JwtFailure {
    if (this.#parsed === undefined) {
      this.#digest = this.#cache.digestOf(this.text);
      const known = this.#cache.get(this.#digest);
      this.#parsed = known === undefined ? KnownJwt.parse(this.text) : new KnownJwt(known.jwt, this.text);
      this.#verifiedBy = known?.keySetId ?? 0;
    }
    return this.#parsed;
  }

  /** @returns null when a key of the set has signed it */
  verify(jwt: KnownJwt, keySet: ImportedKeySet): JwtFailure | null {
    if (this.#verifiedBy === keySet.id && keySet.state === "ready") return null;
    const known = this.#failures?.get(keySet);
    if (known !== undefined) return known;
    const outcome = verifySignature(jwt, jwt.kid, keySet);
    if (typeof outcome === "string") {
      this.#failures ??= new Map();
      this.#failures.set(keySet, outcome);
      return outcome;
    }
    this.#verifiedBy = keySet.id;
    this.#cache.add(this.#digest, { jwt: jwt.summary, keySetId: keySet.id });
    return null;
  }
}
