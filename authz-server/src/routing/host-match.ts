/** Finds the entry of a host name, which is in lower case and has no port. */
export type HostFinder<Entry> = (host: string) => Entry | undefined;

/**
 * Prepares the choice of one entry for a host: exact, then the longest `*.suffix`, then the longest `prefix.*`, then `*`.
 * At least one character stands for the star.
 * @param entries by host pattern, in lower case
 */
export function compileHosts<Entry>(entries: ReadonlyMap<string, Entry>): HostFinder<Entry> {
  const suffixes = byLength(entries, (pattern) => (pattern.startsWith("*") ? pattern.slice(1) : ""));
  const prefixes = byLength(entries, (pattern) => (pattern.endsWith("*") ? pattern.slice(0, -1) : ""));
  const any = entries.get("*");
  return (host) =>
    entries.get(host) ??
    longest(suffixes, host, (length) => host.slice(-length)) ??
    longest(prefixes, host, (length) => host.slice(0, length)) ??
    any;
}

/** Finds the virtual host of an authority. @param authority in lower case; its port is ignored */
export function findVirtualHost<Entry>(
  table: { readonly findHost: HostFinder<Entry> },
  authority: string,
): Entry | undefined {
  return table.findHost(withoutPort(authority));
}

/** The fixed parts of wildcards with their entries, longest first: a request tries one look-up for each length that occurs. */
type ByLength<Entry> = readonly (readonly [length: number, entries: ReadonlyMap<string, Entry>])[];

function byLength<Entry>(entries: ReadonlyMap<string, Entry>, fixedPart: (pattern: string) => string): ByLength<Entry> {
  const lengths = new Map<number, Map<string, Entry>>();
  for (const [pattern, entry] of entries) {
    const fixed = fixedPart(pattern);
    if (fixed === "") continue;
    const sameLength = lengths.get(fixed.length) ?? new Map<string, Entry>();
    lengths.set(fixed.length, sameLength.set(fixed, entry));
  }
  return [...lengths].toSorted(([a], [b]) => b - a);
}

function longest<Entry>(wildcards: ByLength<Entry>, host: string, part: (length: number) => string): Entry | undefined {
  for (const [length, entries] of wildcards) {
    const found = length < host.length ? entries.get(part(length)) : undefined;
    if (found !== undefined) return found;
  }
  return undefined;
}

function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(":");
  if (colon < 0 || authority.indexOf("]", colon) >= 0) return authority;
  return /^\d*$/.test(authority.slice(colon + 1)) ? authority.slice(0, colon) : authority;
}
