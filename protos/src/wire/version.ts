import { createHash } from "node:crypto";

/** Names the content of a resource: equal bytes, equal version. 32 hex digits of SHA-256. */
export function resourceVersion(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 32);
}

/**
 * The version of a whole set of resources, kept up to date one resource at a time.
 * It depends on names and versions alone, not on the order they came in, so that every replica names an equal set equally.
 * Adding what is in the set already takes it out, and removing what is not puts it in: callers keep account.
 */
export class SetVersion {
  #bits = 0n;

  /** Puts a resource in. */
  add(name: string, version: string): void {
    this.#bits ^= fingerprint(name, version);
  }

  /** Takes a resource out. @param version the one it was put in with */
  remove(name: string, version: string): void {
    this.#bits ^= fingerprint(name, version);
  }

  /** 16 hex digits; all zero for the empty set. */
  toString(): string {
    return this.#bits.toString(16).padStart(16, "0");
  }
}

/** The version of a set given as a whole. @param resources no name twice */
export function setVersion(resources: Iterable<{ readonly name: string; readonly version: string }>): string {
  const set = new SetVersion();
  for (const { name, version } of resources) set.add(name, version);
  return set.toString();
}

function fingerprint(name: string, version: string): bigint {
  return createHash("sha256").update(`${name}\0${version}`).digest().readBigUInt64BE(0);
}
