import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { createFleetView } from "../conditions/fleet-view.ts";
import type { KeySourceState } from "../conditions/keys-ready.ts";
import type { ReplicaReport } from "../conditions/server-progress.ts";
import { StatusBoard } from "../conditions/status-board.ts";
import type { KubernetesOptions } from "../config.ts";
import type { FleetMember } from "../discovery/fleet.ts";
import type { Snapshot } from "../discovery/snapshot.ts";
import type { Clock } from "../jwks/clock.ts";
import type { KeyRefresher, KeySourceHealth } from "../jwks/refresher.ts";
import { shownUri } from "../jwks/shown-uri.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { DEFAULT_LEASE_TIMES, type LeaseTimes } from "../leader/candidacy.ts";
import { LeaderElector } from "../leader/elector.ts";
import { createLeaseClient } from "../leader/lease.ts";
import type { Round, RoundObserver } from "../loop.ts";
import type { ReadinessCheck } from "../readiness.ts";
import type { ObjectKey } from "../resources/object.ts";
import type { StatusMetrics } from "../telemetry/status-metrics.ts";
import { EventRecorder } from "./event-recorder.ts";
import { FleetExchange } from "./fleet-exchange.ts";
import { createLocalReport } from "./local-report.ts";
import type { ObjectObserver, ObservedObject } from "./object-observer.ts";
import { PolicyPositions } from "./policy-positions.ts";
import { StatusWriter } from "./status-writer.ts";

/** What status depends on; nothing of it is used before `start`. */
export interface StatusParts {
  readonly api: KubernetesApi;
  readonly kubernetes: Pick<KubernetesOptions, "namespace" | "podName">;
  readonly leaseName: string;
  /** Whether the store has changes that no round has taken. */
  readonly hasChanges: () => boolean;
  readonly members: () => readonly FleetMember[];
  readonly snapshot: () => Pick<Snapshot, "ownersOf">;
  readonly keys: () => Pick<KeyRefresher, "healthOf" | "ownersOf">;
  readonly metrics: StatusMetrics;
  readonly log: Logger;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Default: those of Kubernetes' own components. */
  readonly leaseTimes?: LeaseTimes;
}

/** Several changes of the servers within this time are looked at once. */
const GATHER_MS = 20;

/** Election, exchange between replicas, status and events of this replica. Others tell it what happens. */
export class StatusService implements ObjectObserver, RoundObserver {
  readonly #parts: StatusParts;
  readonly #identity: string;
  readonly #positions: PolicyPositions;
  readonly #board: StatusBoard;
  readonly #elector: LeaderElector;
  readonly #exchange: FleetExchange;
  readonly #events: EventRecorder;
  readonly #writer: StatusWriter;
  #peers: readonly ReplicaReport[] = [];
  #peersAtMs = Number.NEGATIVE_INFINITY;
  #isGathering = false;

  constructor(parts: StatusParts) {
    const { api, kubernetes, leaseName, clock, random, log, metrics } = parts;
    const { namespace, podName } = kubernetes;
    this.#parts = parts;
    // A process that is started anew is another one: it must not take the lease of the one before for its own.
    this.#identity = `${podName}_${randomBytes(4).toString("hex")}`;
    this.#positions = new PolicyPositions(parts.hasChanges);
    this.#board = new StatusBoard({
      translated: (kind) => this.#positions.current().get(kind) ?? "",
      keySources: (key) => parts.keys().healthOf(key).map(toKeySourceState),
    });
    const leases = (name: string) => createLeaseClient(api, namespace, name);
    this.#elector = new LeaderElector({
      leases: leases(leaseName),
      identity: this.#identity,
      times: parts.leaseTimes ?? DEFAULT_LEASE_TIMES,
      clock,
      random,
      log,
      onChange: (isLeader) => this.#leadershipChanged(isLeader),
    });
    this.#exchange = new FleetExchange({
      leases: leases(`${leaseName}-fleet`),
      replica: this.#identity,
      local: () => this.#local(),
      isLeader: () => this.#elector.isLeader,
      isWaiting: () => this.#board.unprogrammed > 0,
      onReports: (reports, readAtMs) => {
        this.#peers = reports;
        this.#peersAtMs = readAtMs;
        this.#look();
      },
      clock,
      log,
      metrics,
    });
    this.#events = new EventRecorder({ api, instance: podName, clock, random, metrics, log });
    this.#writer = new StatusWriter({
      board: this.#board,
      api,
      leadership: this.#elector,
      clock,
      random,
      metrics,
      log,
      onChange: (change) => this.#events.record(change),
    });
    metrics.leader.set(0);
  }

  start(): void {
    this.#elector.start();
    this.#exchange.start();
    this.#writer.start();
  }

  /** Ends writing first, then gives the lease back. */
  async stop(): Promise<void> {
    await this.#writer.stop();
    await Promise.all([this.#exchange.stop(), this.#events.stop()]);
    await this.#elector.stop();
  }

  seen(object: ObservedObject): void {
    this.#board.seen(object, this.#parts.clock.steadyMs());
    this.#writer.notify();
  }

  gone(key: ObjectKey): void {
    this.#board.gone(key);
  }

  position(...[kind, resourceVersion]: Parameters<ObjectObserver["position"]>): void {
    this.#positions.moved(kind, resourceVersion);
    this.fleetChanged();
  }

  begins(): void {
    this.#positions.begins();
  }

  ends({ reports, changed, revision }: Round): void {
    this.#positions.ends(revision);
    const nowMs = this.#parts.clock.steadyMs();
    const names = new Set(changed);
    for (const [key, report] of reports) this.#board.reported(key, { report, isChanged: names.has(key) }, nowMs);
    this.fleetChanged();
  }

  /** A server came, went or got on, or what its state stands for has moved. */
  fleetChanged(): void {
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#parts.clock.after(GATHER_MS, () => {
      this.#isGathering = false;
      this.#exchange.changed();
      this.#look();
    });
  }

  /** Keys were fetched, or could not be. @param keySet `KeySet.name` */
  keysChanged(keySet: string): void {
    // Owners are named by their keys; the board knows those that are objects.
    for (const owner of this.#parts.keys().ownersOf(keySet)) this.#board.touchOwner(owner);
    this.#writer.notify();
  }

  /** Never a reason to be unready: without a leader everything but status goes on. */
  readiness(): ReadinessCheck {
    const { isLeader, holder, lastError } = this.#elector;
    const problems = [lastError, this.#exchange.lastError, ...this.#writer.problems()];
    const lines = [
      `leader: ${isLeader ? "yes" : "no"}, holder ${holder || "(none)"}`,
      ...(isLeader ? [`${this.#board.unprogrammed} objects wait for servers`] : []),
      ...problems.filter((problem) => problem !== null),
    ];
    return { name: "status", ok: true, message: lines.join("\n") };
  }

  #leadershipChanged(isLeader: boolean): void {
    const { metrics } = this.#parts;
    metrics.leader.set(isLeader ? 1 : 0);
    metrics.leaderChanges.inc();
    if (isLeader) this.#board.touchAll();
    this.#exchange.notify();
    this.#writer.notify();
  }

  #local(): ReplicaReport {
    const { members, snapshot, keys } = this.#parts;
    return createLocalReport({
      replica: this.#identity,
      members: members(),
      positions: this.#positions,
      snapshot: snapshot(),
      keys: keys(),
    });
  }

  #look(): void {
    if (!this.#elector.isLeader) return;
    const view = createFleetView([this.#local(), ...this.#peers]);
    this.#board.fleet(view, this.#peersAtMs, this.#parts.clock.steadyMs());
    this.#writer.notify();
    if (this.#board.unprogrammed > 0) this.#exchange.notify();
  }
}

function toKeySourceState(health: KeySourceHealth): KeySourceState {
  const { issuer, uri, keys, state, lastSuccessMs, lastFailure } = health;
  return {
    issuer,
    uri: shownUri(uri),
    keys,
    isKnown: state !== "unavailable",
    lastSuccess: lastSuccessMs === null ? null : `${new Date(lastSuccessMs).toISOString().slice(0, 19)}Z`,
    failure: lastFailure?.class ?? null,
  };
}
