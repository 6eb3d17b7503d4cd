import { createHash } from "node:crypto";
import type { Logger } from "pino";
import { decodeReport, encodeReport } from "../conditions/report-codec.ts";
import type { ReplicaReport } from "../conditions/server-progress.ts";
import type { Clock } from "../jwks/clock.ts";
import type { Lease, LeaseClient } from "../leader/lease.ts";
import type { StatusMetrics } from "../telemetry/status-metrics.ts";

/** What the exchange needs. */
export interface FleetExchangeOptions {
  readonly leases: LeaseClient;
  /** Unique for each process. */
  readonly replica: string;
  /** The servers of this replica, as of now. */
  readonly local: () => ReplicaReport;
  readonly isLeader: () => boolean;
  /** The leader waits for servers to enforce something. */
  readonly isWaiting: () => boolean;
  /** The leader has read what the others report. @param readAtMs steady, when the asking began */
  readonly onReports: (reports: readonly ReplicaReport[], readAtMs: number) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Pick<StatusMetrics, "fleetReports">;
}

/** A sign of life, and the time after which others may count a replica without one as gone. */
const HEARTBEAT_MS = 5_000;
const SILENT_MS = 30_000;
/** A report of a replica that missed a heartbeat gives way to a newer one of the same server. */
const LATE_MS = 8_000;
/** Entries that nobody keeps up are taken out of the Lease. */
const FORGOTTEN_MS = 60_000;
/** Between two requests, however much happens. */
const TICK_MS = 150;
const REQUEST_MS = 4_000;
const WITHDRAW_MS = 1_000;
const ATTEMPTS = 5;

const PREFIX = "replica.gatehouse.dev/";

interface Peer {
  readonly text: string;
  readonly report: ReplicaReport | null;
  readonly changedAtMs: number;
}

/**
 * Tells the leader of the servers that are connected to other replicas. Each replica keeps a report in an annotation of one Lease,
 * written when it changes and as a sign of life; the leader reads it while it waits for servers.
 * Ages are measured by the own clock, from when a report was seen to change.
 */
export class FleetExchange {
  readonly #options: FleetExchangeOptions;
  readonly #key: string;
  readonly #ending = new AbortController();
  readonly #peers = new Map<string, Peer>();
  #beat = 0;
  #isStale = true;
  #publishedAtMs = Number.NEGATIVE_INFINITY;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #published = "";
  #lastError: string | null = null;
  #wake: () => void = () => {};
  #running: Promise<void> | null = null;

  constructor(options: FleetExchangeOptions) {
    this.#options = options;
    this.#key = `${PREFIX}${createHash("sha256").update(options.replica).digest("hex").slice(0, 16)}`;
  }

  /** Why the last attempt failed; null when it did not. */
  get lastError(): string | null {
    return this.#lastError;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** The local servers got on, came or went. */
  changed(): void {
    this.#isStale = true;
    this.#wake();
  }

  /** The leader began to wait for something. */
  notify(): void {
    this.#wake();
  }

  /** Ends, and reports no servers any more. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    await this.#withdraw().catch(() => undefined); // the others find us silent in any case, only later
  }

  async #run(): Promise<void> {
    const { signal } = this.#ending;
    while (!signal.aborted) {
      const isDue = this.#isPublishDue();
      if (isDue || this.#isReadDue()) {
        await (isDue ? this.#publish() : this.#read()).then(
          () => this.#note(null),
          (error: unknown) => this.#note(error instanceof Error ? error.message : String(error)),
        );
        await this.#pause(TICK_MS, false);
      } else await this.#pause(this.#options.isWaiting() ? TICK_MS : HEARTBEAT_MS / 5, true);
    }
  }

  // The leader's own report only matters when it leads no more, so it need not be quick.
  #isPublishDue(): boolean {
    const sinceMs = this.#options.clock.steadyMs() - this.#publishedAtMs;
    if (sinceMs >= HEARTBEAT_MS) return true;
    if (this.#options.isLeader() || !this.#isStale) return false;
    this.#isStale = false;
    return encodeReport(this.#options.local()) !== this.#published;
  }

  #isReadDue(): boolean {
    const { isLeader, isWaiting, clock } = this.#options;
    if (!isLeader()) return false;
    const sinceMs = clock.steadyMs() - this.#readAtMs;
    return sinceMs >= (isWaiting() ? TICK_MS : HEARTBEAT_MS);
  }

  async #publish(): Promise<void> {
    this.#isStale = false;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const lease = await this.#read();
      const text = encodeReport(this.#options.local());
      this.#beat += 1;
      const annotations = { ...this.#kept(lease), [this.#key]: `${this.#beat} ${text}` };
      const startedAtMs = this.#options.clock.steadyMs();
      if ((await this.#write(lease, annotations)) === null) continue; // another replica was quicker
      this.#published = text;
      this.#publishedAtMs = startedAtMs;
      return;
    }
    throw new Error("other replicas change the lease all the time");
  }

  async #read(): Promise<Lease | null> {
    const { leases, clock, onReports } = this.#options;
    const readAtMs = clock.steadyMs();
    const lease = await leases.read(this.#request());
    this.#readAtMs = readAtMs;
    this.#look(lease, clock.steadyMs());
    onReports(this.#reports(clock.steadyMs()), readAtMs);
    return lease;
  }

  #look(lease: Lease | null, nowMs: number): void {
    const found = Object.entries(lease?.annotations ?? {}).filter(
      ([key]) => key.startsWith(PREFIX) && key !== this.#key,
    );
    // A report that is missing was deleted by hand: its replica says so again within a heartbeat, or falls silent.
    for (const [key, text] of found) {
      if (this.#peers.get(key)?.text === text) continue;
      const report = decodeReport(text.slice(text.indexOf(" ") + 1));
      this.#peers.set(key, { text, report, changedAtMs: nowMs });
    }
    const there = new Set(found.map(([key]) => key));
    for (const [key, { changedAtMs }] of this.#peers) {
      if (!there.has(key) && nowMs - changedAtMs > FORGOTTEN_MS) this.#peers.delete(key);
    }
  }

  /** The reports of the others that count. */
  #reports(nowMs: number): readonly ReplicaReport[] {
    const live = [...this.#peers.values()].filter(({ changedAtMs }) => nowMs - changedAtMs <= SILENT_MS);
    const isLate = ({ changedAtMs }: Peer) => nowMs - changedAtMs > LATE_MS;
    const prompt = [
      this.#options.local(),
      ...live.filter((peer) => !isLate(peer)).flatMap(({ report }) => report ?? []),
    ];
    const known = new Set(prompt.flatMap(({ servers }) => servers.map(({ node }) => node)));
    return live.flatMap((peer) => {
      if (peer.report === null) return [];
      if (!isLate(peer)) return [peer.report];
      // A replica that died: its servers have gone to others, under the same name.
      return [{ ...peer.report, servers: peer.report.servers.filter(({ node }) => !known.has(node)) }];
    });
  }

  #kept(lease: Lease | null): Record<string, string> {
    const nowMs = this.#options.clock.steadyMs();
    const isForgotten = (key: string) => {
      const peer = this.#peers.get(key);
      return peer !== undefined && nowMs - peer.changedAtMs > FORGOTTEN_MS;
    };
    return Object.fromEntries(Object.entries(lease?.annotations ?? {}).filter(([key]) => !isForgotten(key)));
  }

  #write(lease: Lease | null, annotations: Readonly<Record<string, string>>): Promise<Lease | null> {
    const { leases } = this.#options;
    if (lease === null) return leases.create({ annotations }, this.#request());
    return leases.update(lease, { annotations }, this.#request());
  }

  /** Says that there are no servers here any more; what is left of us is forgotten later. */
  async #withdraw(): Promise<void> {
    const { leases, replica } = this.#options;
    const text = `0 ${encodeReport({ replica, servers: [] })}`;
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const lease = await leases.read({ timeoutMs: WITHDRAW_MS });
      if (lease === null || lease.annotations[this.#key] === undefined) return;
      const annotations = { ...lease.annotations, [this.#key]: text };
      if ((await leases.update(lease, { annotations }, { timeoutMs: WITHDRAW_MS })) !== null) return;
    }
  }

  #note(error: string | null): void {
    const { metrics, log, leases } = this.#options;
    if (this.#ending.signal.aborted) return;
    metrics.fleetReports.inc({ result: error === null ? "success" : "error" });
    if (error !== null && error !== this.#lastError) {
      log.warn({ lease: leases.name, error }, "the replicas can't tell each other of their servers; status may lag");
    }
    this.#lastError = error;
  }

  #request(): { readonly timeoutMs: number; readonly signal: AbortSignal } {
    return { timeoutMs: REQUEST_MS, signal: this.#ending.signal };
  }

  async #pause(ms: number, canWake: boolean): Promise<void> {
    const { signal } = this.#ending;
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        cancel();
        this.#wake = () => {};
        signal.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#options.clock.after(ms, done);
      signal.addEventListener("abort", done);
      if (canWake) this.#wake = done;
    });
  }
}
