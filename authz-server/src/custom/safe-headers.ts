import { isOwnHeader } from "../policy/reserved-headers.ts";

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;
const METHOD = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Headers that belong to one connection, or that Envoy works out itself. */
const OF_THE_CONNECTION: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Whether a provider may set this header of the request. `ignored`: it is left as it is, and nothing else is wrong. */
export type Safety = "safe" | "ignored" | "illegal";

/**
 * Judges a request header that a provider sets. Of the pseudo headers it may choose path, method and authority, as in Envoy, if they
 * are what a client could have sent. @param name in lower case, `:authority` for `host`
 */
export function requestHeaderSafety(name: string, value: string): Safety {
  if (!VALUE.test(value)) return "illegal";
  switch (name) {
    case ":path":
      return /^\/[\x21\x22\x24-\x7e\x80-\xff]*$/.test(value) ? "safe" : "illegal";
    case ":method":
      return METHOD.test(value) && value !== "CONNECT" ? "safe" : "illegal";
    case ":authority":
      return /^[\x21-\x7e]+$/.test(value) && !/[/?#@\\,]/.test(value) ? "safe" : "illegal";
  }
  if (!TOKEN.test(name)) return "illegal";
  return isOwnHeader(name) || OF_THE_CONNECTION.has(name) ? "ignored" : "safe";
}

/** Judges a header of the answer to the client. @param name in lower case */
export function responseHeaderSafety(name: string, value: string): Safety {
  if (!VALUE.test(value) || !TOKEN.test(name)) return "illegal";
  return isOwnHeader(name) || OF_THE_CONNECTION.has(name) ? "ignored" : "safe";
}

/** Whether a provider may remove this header of the request. Envoy passes over pseudo headers and `host`. @param name in lower case */
export function isRemovable(name: string): boolean {
  return TOKEN.test(name) && name !== "host" && !isOwnHeader(name);
}

/** A part of a query as it stands in a path. */
export function isQueryText(text: string): boolean {
  return /^[\x21\x22\x24\x25\x27-\x7e]*$/.test(text);
}
