import type { PolicyChange } from "./discovery/apply.ts";
import type { PolicySnapshot } from "./discovery/policy-snapshot.ts";
import type { PolicyState } from "./state.ts";

/** One condition of being ready, for `/readyz`. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

/** Who judges by the policy that arrives: this process, or its workers. */
export interface Enforcer {
  /** Where the policy is put. */
  readonly state: PolicyState;
  /** Called in the same turn as `state` is set. @param isComplete MeshConfig is there */
  applied(isComplete: boolean): void;
  /** Called after each change. Resolves when no request is judged by an older policy any more; never rejects. */
  settled(change: PolicyChange): Promise<void>;
  /** From now on nothing may be enforced, until the next change. */
  withdraw(): void;
}

/** What answers checks: this process, or its workers. */
export interface Checks extends Enforcer {
  /**
   * Begins to listen and to answer.
   * @param snapshot the policy as it is now; null before the first
   * @returns the addresses, in the order of the listeners, with the ports really bound
   * @throws {ListenError}
   */
  start(snapshot: () => PolicySnapshot | null): Promise<readonly string[]>;
  readiness(): readonly ReadinessCheck[];
  /** In Prometheus's text format. */
  metrics(): Promise<string>;
  /** Drains; resolves when the last answer is out. */
  stop(): Promise<void>;
}
