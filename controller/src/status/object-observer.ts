import type { BoardObject } from "../conditions/status-board.ts";
import type { ResourceKind } from "../resources/gen/schemas.ts";
import type { ObjectKey } from "../resources/object.ts";

/** Hears of every object as the API server has it, beside the store: its generation and status, and how far a source has come. */
export interface ObjectObserver {
  /** An object that was listed, added or modified, valid or not; also when only its status changed. */
  seen(object: ObservedObject): void;
  gone(key: ObjectKey): void;
  /**
   * Everything of this kind up to this version has been delivered to the sink and to `seen`: after an event, a bookmark, the end of a list.
   * @param resourceVersion as the API server gave it
   */
  position(kind: ResourceKind, resourceVersion: string): void;
}

/** One object as the API server has it. */
export type ObservedObject = BoardObject;
