import type { Lease } from "./lease.ts";

/** How long things last, in milliseconds. */
export interface LeaseTimes {
  /** What the others wait for a sign of life before they take over. */
  readonly leaseMs: number;
  /** What the leader acts on after its last renewal; shorter than `leaseMs`, so that it stops before another may start. */
  readonly renewMs: number;
  /** Between two looks. */
  readonly retryMs: number;
  /** One request; shorter than what is left of a lease when its leader has stopped to act. */
  readonly requestMs: number;
}

export const DEFAULT_LEASE_TIMES: LeaseTimes = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2_000, requestMs: 4_000 };

/** A duration that somebody wrote into the Lease counts up to here. */
const MAX_LEASE_MS = 60_000;

/** A leader that gives up leaves this duration behind, and no holder. Somebody's edit looks otherwise. */
export const RELEASED_DURATION_SEC = 1;

/**
 * What one candidate knows from looking at the Lease: whether somebody else may believe to lead.
 * Only its own steady clock counts, from the moment when it saw the Lease change; what the Lease says about time is another machine's.
 */
export class Candidacy {
  readonly #identity: string;
  readonly #times: LeaseTimes;
  #seen: string | undefined;
  #hasLooked = false;
  #blockedUntilMs = 0;
  /** `acquireTime` of our own term; what else bears our name was written by hand. */
  #ownTerm: string | null = null;

  constructor(identity: string, times: LeaseTimes) {
    this.#identity = identity;
    this.#times = times;
  }

  /** The Lease says that we lead, and we wrote it. */
  holds(lease: Lease): boolean {
    return lease.holder === this.#identity && lease.acquireTime === this.#ownTerm;
  }

  /** We are about to write a Lease with this `acquireTime`; it may arrive although no answer comes. */
  claims(acquireTime: string): void {
    this.#ownTerm = acquireTime;
  }

  /** We became, or stayed, leader by this Lease. */
  acquired(lease: Lease): void {
    this.#seen = lease.resourceVersion;
    this.#hasLooked = true;
    this.#blockedUntilMs = 0;
  }

  /**
   * Takes in what was read.
   * @param nowMs steady, after the answer came
   * @returns whether the Lease may be taken now
   */
  look(lease: Lease | null, nowMs: number): boolean {
    const isFirst = !this.#hasLooked;
    this.#hasLooked = true;
    if (lease !== null && this.holds(lease)) return true;
    const hasChanged = lease?.resourceVersion !== this.#seen;
    this.#seen = lease?.resourceVersion;
    if (lease !== null && lease.holder !== "") {
      if (hasChanged) this.#block(nowMs, this.#durationMs(lease));
    } else if (lease?.durationSec === RELEASED_DURATION_SEC) {
      if (hasChanged) this.#blockedUntilMs = nowMs;
    } else if (isFirst) {
      // Never there, or deleted or edited by hand: then there is a leader, which notices at its next renewal.
      this.#block(nowMs, 2 * this.#times.retryMs);
    }
    return nowMs >= this.#blockedUntilMs;
  }

  #block(nowMs: number, forMs: number): void {
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, nowMs + forMs);
  }

  #durationMs({ durationSec }: Lease): number {
    return Math.max(this.#times.leaseMs, Math.min(durationSec * 1000, MAX_LEASE_MS));
  }
}
