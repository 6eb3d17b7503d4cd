/** What decides which of two objects goes first. */
export interface Aged {
  readonly createdAtMs: number;
  readonly name: string;
  readonly namespace: string;
}

/** The older first, as in Istio; of equal age by name, then by namespace. Servers have the same order. */
export function compareAge(a: Aged, b: Aged): number {
  return a.createdAtMs - b.createdAtMs || compare(a.name, b.name) || compare(a.namespace, b.namespace);
}

// Not by locale: every replica and every server must come to the same.
function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
