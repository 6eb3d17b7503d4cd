import type { Jwk, KeySet } from "@gatehouse/protos";
import { holdsSecret, type JsonObject, readJwk } from "./jwk.ts";
import { broken, type Parsed } from "./parsed.ts";
import type { Findings } from "./report.ts";

/**
 * Translates an inline key set. Keys that can't be used are left out and named; the others stay, in their order. The name follows
 * from the keys alone, so that rules with equal keys share one resource.
 * @param path of the text in its object, for the diagnostics
 */
export function translateInlineJwks(
  text: string,
  path: string,
  hash: (text: string) => string,
  findings: Findings,
): KeySet {
  const keys = readKeys(text, path, findings);
  return {
    kind: "KeySet",
    name: `inline-${hash(JSON.stringify(keys)).slice(0, 32)}`,
    minReaderVersion: 1,
    state: keys.length > 0 ? "ready" : "noValidKeys",
    keys,
  };
}

/**
 * The place of keys that have to be fetched; until then there are none.
 * @param uri `jwksUri`, or empty when the issuer's discovery document names it
 */
export function remoteKeySet(issuer: string, uri: string, hash: (text: string) => string): KeySet {
  const name = `remote-${hash(JSON.stringify([issuer, uri])).slice(0, 32)}`;
  return { kind: "KeySet", name, minReaderVersion: 1, state: "unavailable", keys: [] };
}

/** Keys of a fetched document, and why some of it is not used. */
export interface FetchedKeys {
  /** In the order of the document. */
  readonly keys: readonly Jwk[];
  /** What was skipped, by index. */
  readonly skipped: readonly string[];
  /** The document says that there are no keys at all. */
  readonly isEmpty: boolean;
}

/**
 * Reads a key set that came over the network: everybody can read it there, so secrets and private keys in it verify nothing.
 * @returns a reader that yields after each key, as a set can have thousands, or why the document is no key set
 */
export function readFetchedJwks(text: string): Generator<undefined, FetchedKeys> | string {
  const documents = readDocument(text);
  return typeof documents === "string" ? documents : readFetchedKeys(documents);
}

function* readFetchedKeys(documents: readonly unknown[]): Generator<undefined, FetchedKeys> {
  const keys: Jwk[] = [];
  const skipped: string[] = [];
  for (const [i, document] of documents.entries()) {
    const { value, problem } = readFetchedKey(document);
    if (value !== null) keys.push(value);
    else skipped.push(`key at index ${i} is not used: ${problem}`);
    yield;
  }
  return { keys, skipped, isEmpty: documents.length === 0 };
}

function readFetchedKey(document: unknown): Parsed<Jwk> {
  if (!isObject(document)) return broken("it is not an object");
  if (document["kty"] === "oct") return broken("a secret that is published is none");
  if (holdsSecret(document)) return broken("it contains private key material that is now public");
  return readJwk(document);
}

function readKeys(text: string, path: string, findings: Findings): readonly Jwk[] {
  const documents = readDocument(text);
  if (typeof documents === "string") {
    findings.invalid(path, `jwks parse error: ${documents}`);
    return [];
  }
  const keys: Jwk[] = [];
  for (const [i, document] of documents.entries()) {
    const key = readKey(document, i, path, findings);
    if (key !== null) keys.push(key);
  }
  if (keys.length === 0) findings.invalid(path, "Jwks doesn't have any valid public key");
  return keys;
}

/** @returns the entries of `keys`, or why there are none */
function readDocument(text: string): readonly unknown[] | string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return "Jwks is an invalid JSON"; // the parser's own words would quote the text, which may hold a secret
  }
  if (!isObject(document) || !Object.hasOwn(document, "keys")) return "Jwks does not have [keys] field";
  const keys = document["keys"];
  return Array.isArray(keys) ? keys : "[keys] in Jwks is not an array";
}

function readKey(document: unknown, index: number, path: string, findings: Findings): Jwk | null {
  if (!isObject(document)) {
    findings.unsupported(path, `jwks key at index ${index} is not used: it is not an object`);
    return null;
  }
  if (holdsSecret(document)) {
    const message = "contains private key material; only public keys are used for verification";
    findings.warn(path, `jwks key at index ${index} ${message}`);
  }
  const { value, problem } = readJwk(document);
  if (problem !== null) findings.unsupported(path, `jwks key at index ${index} is not used: ${problem}`);
  return value;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
