import { hash } from "node:crypto";

/** So many tokens, none longer, are known by their text: four megabytes at most. */
const MAX_TEXTS = 1024;
const MAX_TEXT_LENGTH = 4096;
/** One of so many is kept: those of busy clients are among them soon, and of many rare ones few are copied in vain. */
const KEPT_ONE_OF = 16;
/** Characters at the end of a token, out of its signature. A map would hash all of the text, at the price of the digest. */
const TAIL_LENGTH = 32;

/**
 * SHA-256 of tokens. To compare a text with one that was seen before is a fraction of the work. What is known here says nothing about
 * whether a token is valid.
 */
export class TokenDigests {
  readonly #byTail = new Map<string, { readonly text: string; readonly digest: string }>();
  #computed = 0;

  /** The digest, one character a byte. */
  of(text: string): string {
    const known = this.#byTail.get(text.slice(-TAIL_LENGTH));
    if (known !== undefined && known.text === text) return known.digest;
    const digest = hash("sha256", text, "binary");
    this.#computed += 1;
    if (this.#computed % KEPT_ONE_OF === 0 && text.length <= MAX_TEXT_LENGTH) this.#keep(text, digest);
    return digest;
  }

  #keep(text: string, digest: string): void {
    // A copy: the text is a part of its whole request.
    const copy = Buffer.from(text, "latin1").toString("latin1");
    if (copy !== text) return;
    if (this.#byTail.size >= MAX_TEXTS) this.#byTail.clear();
    this.#byTail.set(copy.slice(-TAIL_LENGTH), { text: copy, digest });
  }
}
