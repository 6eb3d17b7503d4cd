import type { ResourceKind } from "../resources/gen/schemas.ts";
import type { ObjectKey } from "../resources/object.ts";
import { RESOURCE_KINDS } from "./resource-kinds.ts";
import { compareVersions, isAtOrPast } from "./resource-version.ts";
import type { ReplicaReport, ServerProgress } from "./server-progress.ts";

/** How many servers enforce one object. */
export interface Coverage {
  readonly connected: number;
  readonly enforcing: number;
  /** A server that refused it, by the first name. */
  readonly refusal: { readonly node: string; readonly message: string } | null;
}

/** The reports of all replicas at one moment, so that an object costs a look-up and not a walk over the servers. */
export interface FleetView {
  readonly connected: number;
  /** The servers' names, as one text; differs when one comes or goes. */
  readonly members: string;
  /** Objects that some server refused. */
  readonly refused: ReadonlySet<ObjectKey>;
  /** Some server has not come as far as every server had in the other view. */
  isBehind(other: FleetView): boolean;
  /** What every server has reached; empty: some have nothing of that kind. */
  lowest(kind: ResourceKind): string;
  coverage(kind: ResourceKind, key: ObjectKey, resourceVersion: string): Coverage;
}

/** Joins the reports of the replicas. A server that two of them name is counted for each until one finds its stream dead. */
export function createFleetView(reports: readonly ReplicaReport[]): FleetView {
  const servers = reports.flatMap((report) => report.servers).toSorted((a, b) => (a.node < b.node ? -1 : 1));
  const positions = new Map<ResourceKind, readonly string[]>();
  const refusals = collectRefusals(servers);

  const sorted = (kind: ResourceKind): readonly string[] => {
    const known = positions.get(kind);
    if (known !== undefined) return known;
    const found = servers.flatMap(({ position }) => position.get(kind) ?? []).toSorted(compareVersions);
    positions.set(kind, found);
    return found;
  };

  const lowest = (kind: ResourceKind): string => {
    const found = sorted(kind);
    return found.length < servers.length ? "" : (found[0] ?? "");
  };

  return {
    connected: servers.length,
    members: servers.map(({ node }) => node).join(),
    refused: new Set(refusals.keys()),
    isBehind: (other) => RESOURCE_KINDS.some((kind) => compareVersions(lowest(kind), other.lowest(kind)) < 0),
    lowest,
    coverage(kind, key, resourceVersion) {
      const reached = countFrom(sorted(kind), resourceVersion);
      // A refusal from before is one of an older version of the object.
      const refused = (refusals.get(key) ?? []).filter(({ position }) =>
        isAtOrPast(position.get(kind) ?? "", resourceVersion),
      );
      const [first] = refused;
      const refusal = first === undefined ? null : { node: first.node, message: first.refused.get(key) ?? "" };
      return { connected: servers.length, enforcing: reached - refused.length, refusal };
    },
  };
}

function collectRefusals(servers: readonly ServerProgress[]): ReadonlyMap<ObjectKey, readonly ServerProgress[]> {
  const refusals = new Map<ObjectKey, ServerProgress[]>();
  for (const server of servers) {
    for (const key of server.refused.keys()) refusals.set(key, [...(refusals.get(key) ?? []), server]);
  }
  return refusals;
}

/** How many of the sorted versions are at or past this one. */
function countFrom(sorted: readonly string[], version: string): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAtOrPast(sorted[middle] ?? "", version)) high = middle;
    else low = middle + 1;
  }
  return sorted.length - low;
}
