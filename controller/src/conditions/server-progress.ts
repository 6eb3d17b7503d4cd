import type { ResourceKind } from "../resources/gen/schemas.ts";
import type { ObjectKey } from "../resources/object.ts";

/**
 * How far policy has come at one server: it enforces every object up to these resourceVersions, by kind, save those in `refused`.
 * Kinds that are missing: nothing of them.
 */
export interface ServerProgress {
  readonly node: string;
  readonly position: Position;
  /** Objects that it does not enforce as written, and what it said. */
  readonly refused: ReadonlyMap<ObjectKey, string>;
}

/** How far something has come with the objects of the API server: the newest resourceVersion of each kind. */
export type Position = ReadonlyMap<ResourceKind, string>;

/** The servers of one controller replica. */
export interface ReplicaReport {
  /** Unique for each process. */
  readonly replica: string;
  readonly servers: readonly ServerProgress[];
}
