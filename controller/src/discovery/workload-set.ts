import type { NamedResource } from "./encode-resource.ts";
import type { PublishedSet } from "./session.ts";
import { Snapshot } from "./snapshot.ts";

/** The workloads that are offered to servers, apart from policy: pods come and go without a change of any. */
export class WorkloadSet {
  readonly #snapshot = new Snapshot();
  readonly #onChange: () => void;
  #isWhole = false;

  /** @param onChange called when there is something to offer */
  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** Number of workloads. */
  get size(): number {
    return this.#snapshot.resources.size;
  }

  /** Replaces the workloads of some pods; none means that the pod has no address, or is gone. */
  apply(changes: ReadonlyMap<string, readonly NamedResource[]>): void {
    const { changed, removed } = this.#snapshot.apply(changes);
    if (changed.length + removed.length > 0 && this.#isWhole) this.#onChange();
  }

  /** All pods that there are have been applied. */
  markWhole(): void {
    if (this.#isWhole) return;
    this.#isWhole = true;
    this.#onChange();
  }

  /** @returns null until all are known */
  published(): PublishedSet | null {
    if (!this.#isWhole) return null;
    const snapshot = this.#snapshot;
    return {
      revision: snapshot.revision,
      version: snapshot.version,
      resources: snapshot.resources,
      changedSince: (revision) => snapshot.changedSince(revision),
      // A server that can't read one goes without it, and denies what is for that pod.
      unenforceable: () => "withheld",
    };
  }
}
