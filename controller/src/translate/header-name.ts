/** RFC 7230 token. */
export function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(name);
}

const RESERVED =
  /^(host|authorization|content-length|transfer-encoding|connection|te|upgrade|trailer|keep-alive|proxy-.*|x-envoy-.*|x-forwarded-.*|x-gatehouse-.*)$/;

/**
 * True for request headers that the transport, Envoy or Gatehouse give a meaning to. A claim copied there could steer routing
 * or smuggle requests.
 * @param name in lower case; `_` counts as `-`, as some servers read it
 */
export function isReservedHeader(name: string): boolean {
  return name.startsWith(":") || RESERVED.test(name.replaceAll("_", "-"));
}
