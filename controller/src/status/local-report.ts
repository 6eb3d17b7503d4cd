import { keySetResourceName } from "@gatehouse/protos";
import { splitKey } from "../conditions/resource-kinds.ts";
import type { ReplicaReport, ServerProgress } from "../conditions/server-progress.ts";
import type { FleetMember } from "../discovery/fleet.ts";
import type { SessionProgress } from "../discovery/session.ts";
import type { Snapshot } from "../discovery/snapshot.ts";
import type { KeyRefresher } from "../jwks/refresher.ts";
import type { ObjectKey } from "../resources/object.ts";
import type { PolicyPositions } from "./policy-positions.ts";

/** What the report of this replica is made of. */
export interface LocalReportParts {
  readonly replica: string;
  readonly members: readonly FleetMember[];
  readonly positions: PolicyPositions;
  readonly snapshot: Pick<Snapshot, "ownersOf">;
  readonly keys: Pick<KeyRefresher, "ownersOf">;
}

/** The servers of this replica and how far each has come, in terms of the API server's objects. */
export function createLocalReport(parts: LocalReportParts): ReplicaReport {
  const servers = parts.members.flatMap(({ nodeId, progress }): readonly ServerProgress[] => {
    // Whoever asks for single resources looks on; it is no server that enforces policy.
    if (progress !== null && !progress.isWildcard) return [];
    const position = parts.positions.at(progress?.revision ?? null);
    return [{ node: nodeId, position, refused: refusedObjects(progress, parts) }];
  });
  return { replica: parts.replica, servers };
}

function refusedObjects(progress: SessionProgress | null, parts: LocalReportParts): ReadonlyMap<ObjectKey, string> {
  const refused = new Map<ObjectKey, string>();
  for (const [name, message] of progress?.refused ?? []) {
    for (const key of objectsOf(name, parts)) refused.set(key, message);
  }
  return refused;
}

const KEY_SET_PREFIX = keySetResourceName("");

/** The objects behind a resource: the one of that name, or those that need the key set. */
function objectsOf(name: string, { snapshot, keys }: LocalReportParts): readonly ObjectKey[] {
  const owners = name.startsWith(KEY_SET_PREFIX)
    ? [...snapshot.ownersOf(name), ...keys.ownersOf(name.slice(KEY_SET_PREFIX.length))]
    : [name];
  return owners.flatMap((owner) => {
    const parts = splitKey(owner);
    return parts === null ? [] : [`${parts.kind}/${parts.namespace}/${parts.name}` as const];
  });
}
