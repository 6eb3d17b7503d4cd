import type { Dispatcher } from "undici";
import type { AddressGuard } from "./address-guard.ts";
import { KeyFetchError } from "./fetch-failure.ts";
import type { OpenConnection } from "./guarded-connection.ts";

/** What GET needs besides the URL. */
export interface FetchTextOptions {
  readonly guard: AddressGuard;
  readonly open: OpenConnection;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
}

/** A complete answer with status 2xx. */
export interface FetchedText {
  /** Where it came from in the end. */
  readonly url: URL;
  readonly text: string;
  /** Names in lower case; of repeated ones the first. */
  readonly headers: ReadonlyMap<string, string>;
}

const MAX_BODY_BYTES = 1024 * 1024;
const MAX_REDIRECTS = 3;

/**
 * Gets a text over http or https, following up to three redirects with the same checks at each.
 * @throws KeyFetchError, or what undici throws
 */
export async function fetchText(start: string, options: FetchTextOptions): Promise<FetchedText> {
  let url = parseUrl(start, options.guard);
  for (let redirects = 0; ; redirects++) {
    const answer = await get(url, options);
    if (answer.kind === "text") return { url, ...answer };
    if (redirects === MAX_REDIRECTS) throw new KeyFetchError("redirect", `more than ${MAX_REDIRECTS} redirects`);
    url = follow(url, answer.location, options.guard);
  }
}

/** A URL that another document or answer names; it must not lead from https to http. */
export function follow(from: URL, target: string, guard: AddressGuard): URL {
  const url = parseUrl(URL.parse(target, from.href)?.href ?? target, guard);
  if (from.protocol === "https:" && url.protocol !== "https:")
    throw new KeyFetchError("redirect", "leads from https to http");
  return url;
}

function parseUrl(text: string, guard: AddressGuard): URL {
  const url = URL.parse(text);
  if (url === null) throw new KeyFetchError("bad_uri", "not a URL");
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new KeyFetchError("bad_uri", "neither http nor https");
  if (url.username !== "" || url.password !== "") throw new KeyFetchError("bad_uri", "a user in the URL");
  const reason = guard.refusesHost(url.hostname);
  if (reason !== null) throw new KeyFetchError("blocked", reason);
  url.hash = "";
  return url;
}

type Answer =
  | { readonly kind: "redirect"; readonly location: string }
  | { readonly kind: "text"; readonly text: string; readonly headers: ReadonlyMap<string, string> };

async function get(url: URL, { open, signal }: FetchTextOptions): Promise<Answer> {
  const connection = open(url.origin);
  try {
    const response = await connection.request({
      origin: url.origin,
      path: url.pathname + url.search,
      method: "GET",
      headers: { accept: "application/json", "accept-encoding": "identity", "user-agent": "gatehouse" },
      signal,
    });
    return await read(response);
  } finally {
    // Whatever is still on its way is not wanted; a failure to close changes nothing.
    await connection.destroy().catch(() => undefined);
  }
}

async function read({ statusCode, headers: raw, body }: Dispatcher.ResponseData): Promise<Answer> {
  body.on("error", () => undefined); // a body that is given up fails, and nobody else listens
  const headers = firstValues(raw);
  if (isRedirect(statusCode)) {
    const location = headers.get("location");
    if (location === undefined) throw new KeyFetchError("redirect", `HTTP ${statusCode} without a location`);
    return { kind: "redirect", location };
  }
  if (statusCode < 200 || statusCode > 299) throw new KeyFetchError("status", `HTTP ${statusCode}`);
  const encoding = headers.get("content-encoding") ?? "identity";
  if (encoding.trim().toLowerCase() !== "identity") throw new KeyFetchError("encoded", "the answer is compressed");
  return { kind: "text", text: decode(await readBody(body)), headers };
}

function isRedirect(statusCode: number): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode);
}

function firstValues(raw: Dispatcher.ResponseData["headers"]): ReadonlyMap<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(raw)) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) headers.set(name.toLowerCase(), first);
  }
  return headers;
}

async function readBody(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new KeyFetchError("too_large", `more than ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** A byte order mark stays, and is then no JSON. */
function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new KeyFetchError("not_json", "not UTF-8");
  }
}
