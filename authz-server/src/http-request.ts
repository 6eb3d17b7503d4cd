import type { JsonValue } from "./authn/json.ts";
import { latest } from "./latest.ts";

/**
 * One HTTP request as Envoy handed it over. Texts are byte strings: one character per byte (latin-1), so that odd bytes survive
 * and compare exactly. Header names are lower case.
 */
export interface HttpRequest {
  readonly method: string;
  /** `:path` with query, as Envoy hands it over. */
  readonly path: string;
  /** `:authority` */
  readonly host: string;
  readonly scheme: string;
  /** A NUL stands in the texts of the request. HTTP has none: a server behind may read only what is before it. */
  readonly hasNul?: boolean;
  /** In order of arrival, pseudo headers included. */
  readonly headers: readonly HeaderLine[];
  /** Whether each header line stands alone (ext_authz option `encode_raw_headers`), or lines of one name came joined by `,`. */
  readonly hasRawHeaders: boolean;
  /** The direct peer; principal is empty without a validated client certificate. */
  readonly source: { readonly address: string; readonly principal: string };
  readonly destination: { readonly address: string; readonly port: number };
  /** Empty without TLS. */
  readonly sni: string;
  readonly contextExtensions: ReadonlyMap<string, string>;
  /** Dynamic metadata of another filter, one level deep; undefined when absent. Decoded on demand. */
  readonly filterMetadata: (filter: string, key: string) => JsonValue | undefined;
  /** As it arrived, where a CUSTOM provider has changed it since. */
  readonly received?: HttpRequest;
  /** The CheckRequest that this was read from, for CUSTOM providers; left out where Envoy sent none. */
  readonly message?: Uint8Array;
}

export interface HeaderLine {
  readonly name: string;
  readonly value: string;
}

/** The first value of a header, or undefined. */
export function firstHeader(headers: readonly HeaderLine[], name: string): string | undefined {
  for (const line of headers) if (line.name === name) return line.value;
  return undefined;
}

/** The name under which Envoy keeps a header: `host` is `:authority`. */
export function headerLineName(name: string): string {
  return name === "host" ? ":authority" : name;
}

/** A header's value without the blanks around it, which are no part of it (RFC 9110, 5.5). Linear in its length: it is the client's choice. */
export function bareValue(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isBlank(value.charCodeAt(start))) start++;
  while (end > start && isBlank(value.charCodeAt(end - 1))) end--;
  return end - start === value.length ? value : value.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The UTF-8 bytes of a text as a byte string, comparable with the texts of a request. Lone surrogates become U+FFFD. */
export function toByteString(text: string): string {
  if (isAscii(text)) return text;
  let bytes = "";
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0xfffd;
    bytes += utf8(code >= 0xd800 && code <= 0xdfff ? 0xfffd : code);
  }
  return bytes;
}

/** Lower-cases A-Z only: `String.toLowerCase` folds other letters too, and can change the length. */
export function asciiLowerCase(text: string): string {
  return /[A-Z]/.test(text) ? lowerCased(text) : text;
}

const lowerCased = latest((text) => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()));

function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function utf8(code: number): string {
  if (code < 0x80) return String.fromCharCode(code);
  if (code < 0x800) return String.fromCharCode(0xc0 | (code >> 6), 0x80 | (code & 0x3f));
  if (code < 0x10000) {
    return String.fromCharCode(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 0x3f), 0x80 | (code & 0x3f));
  }
  return String.fromCharCode(
    0xf0 | (code >> 18),
    0x80 | ((code >> 12) & 0x3f),
    0x80 | ((code >> 6) & 0x3f),
    0x80 | (code & 0x3f),
  );
}
