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
