import type { VirtualService } from "@gatehouse/protos";

/** What a route that is merged with one of a delegate takes of each server's memory, for each match entry. */
const MERGED_BYTES = 1024;

/** How often a VirtualService takes in each delegate: once for each match entry that leads there. By resource name. */
export function delegatesOf({ http }: VirtualService): ReadonlyMap<string, number> {
  const times = new Map<string, number>();
  for (const { action, match } of http) {
    if (action.kind !== "delegate") continue;
    const name = `VirtualService/${action.namespace}/${action.name}`;
    times.set(name, (times.get(name) ?? 0) + Math.max(1, match.length));
  }
  return times;
}

/**
 * What a delegate takes each time: its routes are put in the place of each route that leads to it, so that two short objects can
 * make many. 0 for one with hosts of its own.
 */
export function delegateBytes({ hosts, http }: VirtualService): number {
  return hosts.length > 0 ? 0 : http.reduce((sum, { match }) => sum + Math.max(1, match.length), 0) * MERGED_BYTES;
}
