interface Aged {
  readonly meta: { readonly createdAtMs: number; readonly name: string; readonly namespace: string };
}

/** Oldest first, then by name, then by namespace: Istio's order. */
export function byAge({ meta: a }: Aged, { meta: b }: Aged): number {
  return a.createdAtMs - b.createdAtMs || compare(a.name, b.name) || compare(a.namespace, b.namespace);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
