import type { InvalidObject, ObjectKey, Origin, Problem, ResourceObject } from "../resources/object.ts";

/** Where objects come from: a directory, or the API server. */
export interface Source {
  /** What the store and messages call it, for example `dir:deploy/examples`. */
  readonly name: string;
  /**
   * Delivers all objects, says `synced`, then delivers every change. Calls that belong together are made without a pause, so that
   * the loop never sees half of them.
   * @returns a promise that resolves once the signal has aborted and nothing more will be called
   */
  start(sink: Sink, signal: AbortSignal): Promise<void>;
  /** How each kind stands, where each is read by itself. */
  states?(): readonly SourceState[];
}

/** How one kind of object stands. */
export interface SourceState {
  readonly kind: string;
  /** Of the API that it is read by; null before it is known. */
  readonly apiVersion: string | null;
  /** Whether all objects have been read at least once. */
  readonly hasSynced: boolean;
  /** Whether changes are being followed now. */
  readonly isFollowing: boolean;
  readonly objects: number;
  /** Time since something was last heard of them, in milliseconds; null: never. */
  readonly silentMs: number | null;
}

/** What a source reports to. */
export interface Sink {
  /** A new or changed object that passed its schema. */
  upsert(object: ResourceObject, origin: Origin): void;
  /** A new or changed object that failed its schema. */
  invalid(object: InvalidObject, origin: Origin): void;
  delete(key: ObjectKey): void;
  /** Replaces what was reported before: everything that is wrong now, besides the fields of invalid objects. */
  setProblems(problems: readonly Problem[]): void;
  /** Every object that there was at the start has been delivered. Called once. */
  synced(): void;
}
