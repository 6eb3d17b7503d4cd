import type { Logger } from "pino";
import type { Clock } from "../jwks/clock.ts";
import { Candidacy, type LeaseTimes, RELEASED_DURATION_SEC } from "./candidacy.ts";
import type { Lease, LeaseChange, LeaseClient } from "./lease.ts";
import { microTime } from "./micro-time.ts";

/** What an election needs. */
export interface ElectorOptions {
  readonly leases: LeaseClient;
  /** Unique for each process; a restarted one is another. */
  readonly identity: string;
  readonly times: LeaseTimes;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Logger;
  /** Called at each change, at once. */
  readonly onChange: (isLeader: boolean) => void;
}

/** Whoever acts as the leader asks before each act. */
export interface Leadership {
  /** Turns false by the steady clock alone, also while the API server does not answer. */
  readonly isLeader: boolean;
  /** Milliseconds that leadership lasts without another renewal; 0 without leadership. */
  readonly remainingMs: number;
}

const RELEASE_MS = 2_000;
const JITTER = 0.2;

/**
 * Takes part in the election of one leader among the replicas, by a Lease.
 * At most one acts: a leader stops `renewMs` after it *sent* its last successful renewal, the others start `leaseMs` after they *saw* it.
 * @see https://kubernetes.io/docs/concepts/architecture/leases/
 */
export class LeaderElector implements Leadership {
  readonly #options: ElectorOptions;
  readonly #candidacy: Candidacy;
  readonly #ending = new AbortController();
  /** As of our last write; null when it has to be read. */
  #lease: Lease | null = null;
  #leadingUntilMs = Number.NEGATIVE_INFINITY;
  #wasLeader = false;
  #holder = "";
  #lastError: string | null = null;
  #cancelDeadline: () => void = () => {};
  #running: Promise<void> | null = null;

  constructor(options: ElectorOptions) {
    this.#options = options;
    this.#candidacy = new Candidacy(options.identity, options.times);
  }

  get isLeader(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    return Math.max(0, this.#leadingUntilMs - this.#options.clock.steadyMs());
  }

  /** Who holds the Lease, as last seen; empty: nobody. */
  get holder(): string {
    return this.#holder;
  }

  /** Why the Lease could not be read or written at the last attempt; null when it could. */
  get lastError(): string | null {
    return this.#lastError;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** Ends the candidacy; a leader gives the Lease back, so that another need not wait. What acts for the leader must have ended. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    const wasLeader = this.isLeader;
    this.#resign();
    if (wasLeader) await this.#release();
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      await this.#attempt().then(
        () => this.#noteError(null),
        (error: unknown) => this.#noteError(error instanceof Error ? error.message : String(error)),
      );
      await this.#pause(this.#options.times.retryMs * (1 + JITTER * this.#options.random()));
    }
  }

  async #attempt(): Promise<void> {
    if (this.#lease !== null && (await this.#write(this.#lease))) return;
    this.#lease = null;
    const { leases, clock } = this.#options;
    const found = await leases.read(this.#request());
    this.#holder = found?.holder ?? "";
    // Another's name, or our own from an edit by hand: whatever we believe to be, it is over now.
    if (found !== null && !this.#candidacy.holds(found)) this.#resign();
    if (!this.#candidacy.look(found, clock.steadyMs())) return;
    await this.#write(found);
  }

  /** @returns false when the Lease is another one by now */
  async #write(lease: Lease | null): Promise<boolean> {
    const { leases, clock } = this.#options;
    const sentAtMs = clock.steadyMs();
    const term = lease !== null && this.#candidacy.holds(lease) ? lease.acquireTime : microTime(clock.wallMs());
    this.#candidacy.claims(term);
    const change = this.#claim(lease, term);
    const written =
      lease === null
        ? await leases.create(change, this.#request())
        : await leases.update(lease, change, this.#request());
    if (written === null || this.#ending.signal.aborted) return false;
    this.#lease = written;
    this.#holder = written.holder;
    this.#candidacy.acquired(written);
    this.#lead(sentAtMs + this.#options.times.renewMs);
    return true;
  }

  #claim(lease: Lease | null, acquireTime: string): LeaseChange {
    const { identity, times, clock } = this.#options;
    const isRenewal = lease !== null && lease.holder === identity && lease.acquireTime === acquireTime;
    return {
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.max(RELEASED_DURATION_SEC + 1, Math.ceil(times.leaseMs / 1000)),
        acquireTime,
        renewTime: microTime(clock.wallMs()),
        leaseTransitions: lease === null ? 0 : lease.transitions + (isRenewal ? 0 : 1),
      },
    };
  }

  #lead(untilMs: number): void {
    this.#leadingUntilMs = untilMs;
    this.#watchDeadline();
    this.#report();
  }

  // Timers may be a little early.
  #watchDeadline(): void {
    this.#cancelDeadline();
    if (!this.isLeader) this.#report();
    else this.#cancelDeadline = this.#options.clock.after(Math.ceil(this.remainingMs), () => this.#watchDeadline());
  }

  #resign(): void {
    this.#leadingUntilMs = Number.NEGATIVE_INFINITY;
    this.#cancelDeadline();
    this.#report();
  }

  #report(): void {
    const { isLeader } = this;
    if (isLeader === this.#wasLeader) return;
    this.#wasLeader = isLeader;
    const { identity, leases, log, onChange } = this.#options;
    if (isLeader) log.info({ lease: leases.name, identity }, "leader: this replica writes status from now on");
    else log.info({ lease: leases.name, identity }, "no longer leader");
    onChange(isLeader);
  }

  async #release(): Promise<void> {
    const { leases, clock, log } = this.#options;
    if (this.#lease === null) return;
    const now = microTime(clock.wallMs());
    const spec = {
      holderIdentity: "",
      leaseDurationSeconds: RELEASED_DURATION_SEC,
      acquireTime: now,
      renewTime: now,
    };
    // Another takes over in any case, only later.
    await leases.update(this.#lease, { spec }, { timeoutMs: RELEASE_MS }).catch((err: unknown) => {
      log.warn(
        { err, lease: leases.name },
        "the lease could not be given back; another replica leads when it has run out",
      );
    });
  }

  #noteError(message: string | null): void {
    if (message !== null && message !== this.#lastError && !this.#ending.signal.aborted) {
      this.#options.log.warn({ lease: this.#options.leases.name, error: message }, "lease can't be read or written");
    }
    this.#lastError = message;
  }

  #request(): { readonly timeoutMs: number; readonly signal: AbortSignal } {
    return { timeoutMs: this.#options.times.requestMs, signal: this.#ending.signal };
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#ending;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#options.clock.after(ms, done);
      signal.addEventListener("abort", done);
    });
  }
}
