/** The more specific of two host patterns (`shop.example.com`, `*.example.com`, `shop.*`, `*`) that have hosts in common; undefined when they have none. */
export function intersectHosts(a: string, b: string): string | undefined {
  if (coversHost(a, b)) return b;
  return coversHost(b, a) ? a : undefined;
}

/** Every host of `host` is one of `pattern`; a star stands for at least one character. */
export function coversHost(pattern: string, host: string): boolean {
  if (pattern === host || pattern === "*") return true;
  if (pattern.startsWith("*")) return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
  return pattern.endsWith("*") && host.startsWith(pattern.slice(0, -1)) && host.length > pattern.length - 1;
}
