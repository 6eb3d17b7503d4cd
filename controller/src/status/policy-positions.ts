import type { Position } from "../conditions/server-progress.ts";
import type { ResourceKind } from "../resources/gen/schemas.ts";

/** Revisions that are remembered; a server that is further behind enforces nothing that can be vouched for. */
const MAX_HISTORY = 2_000;

/**
 * Says which objects of the API server a revision of the snapshot contains: all up to a resourceVersion, for each kind.
 * A revision comes to contain more when events change nothing of the policy.
 */
export class PolicyPositions {
  readonly #hasChanges: () => boolean;
  readonly #live = new Map<ResourceKind, string>();
  readonly #history = new Map<number, Position>();
  #taken: Position = new Map();
  #isInRound = false;
  #revision: number | null = null;

  /** @param hasChanges whether the store has changes that no round has taken */
  constructor(hasChanges: () => boolean) {
    this.#hasChanges = hasChanges;
  }

  /** The store has everything of this kind up to this version. */
  moved(kind: ResourceKind, resourceVersion: string): void {
    this.#live.set(kind, resourceVersion);
  }

  begins(): void {
    this.#isInRound = true;
    this.#taken = new Map(this.#live);
  }

  ends(revision: number): void {
    this.#isInRound = false;
    this.#revision = revision;
    this.#remember(revision, this.#taken);
  }

  /** What a server enforces that has acknowledged everything up to this revision. */
  at(revision: number | null): Position {
    this.#advance();
    return (revision === null ? undefined : this.#history.get(revision)) ?? new Map();
  }

  /** What the newest round contains. */
  current(): Position {
    return this.at(this.#revision);
  }

  // What came since the last round, and left nothing to do for the next one, is contained in the last one.
  #advance(): void {
    if (this.#revision === null || this.#isInRound || this.#hasChanges()) return;
    this.#remember(this.#revision, new Map(this.#live));
  }

  #remember(revision: number, position: Position): void {
    this.#history.delete(revision);
    this.#history.set(revision, position);
    for (const oldest of this.#history.keys()) {
      if (this.#history.size <= MAX_HISTORY) break;
      this.#history.delete(oldest);
    }
  }
}
