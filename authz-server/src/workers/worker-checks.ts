import { createServer, type Server } from "node:net";
import { setTimeout as sleepFor } from "node:timers/promises";
import type { Workload } from "@gatehouse/protos";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Checks, ReadinessCheck } from "../checks.ts";
import type { AuthzServerConfig, WorkersConfig } from "../config.ts";
import type { PolicyChange } from "../discovery/apply.ts";
import type { PolicySnapshot } from "../discovery/policy-snapshot.ts";
import type { WorkloadTaker } from "../discovery/workload-applier.ts";
import { connectionsCheck } from "../server/connection-room.ts";
import { bind } from "../server/listen.ts";
import { PolicyState } from "../state.ts";
import type { WorkerMetrics } from "../telemetry/worker-metrics.ts";
import { MetricsSum } from "./metrics-sum.ts";
import { WorkerPool } from "./worker-pool.ts";

export interface WorkerChecksOptions
  extends Pick<
    AuthzServerConfig,
    "listeners" | "transport" | "checkTlsDirectory" | "limits" | "drain" | "workloadIdentities" | "backOff" | "random"
  > {
  readonly workers: WorkersConfig;
  /** Of each worker, at once. */
  readonly maxConnections: number;
  /** Told of each connection that no worker can take. */
  readonly onRefused: () => void;
  /** Hears of tokens that may be signed with a key that the key set of this name lacks. */
  readonly onUnknownKey: (keySet: string) => void;
  readonly registry: Registry;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
}

const HUNG_AFTER_MS = 20_000;
/** Past the time that a drain takes, a worker that is still there is killed. */
const DRAIN_GRACE_MS = 5000;

/** Has checks answered by worker processes: listens, gives each connection to one of them, and keeps them at the policy of this process. */
export class WorkerChecks implements Checks, WorkloadTaker {
  readonly state: PolicyState = new PolicyState();
  readonly #options: WorkerChecksOptions;
  readonly #pool: WorkerPool;
  readonly #sum: MetricsSum;
  readonly #workloads = new Map<string, Workload>();
  #snapshot: () => PolicySnapshot | null = () => null;
  #servers: readonly Server[] = [];
  #addresses: readonly string[] = [];
  #isDraining = false;

  constructor(options: WorkerChecksOptions) {
    this.#options = options;
    this.#sum = new MetricsSum(options.registry);
    const { listeners, transport, checkTlsDirectory, limits, drain, workloadIdentities } = options;
    const { hungAfterMs = HUNG_AFTER_MS } = options.workers;
    const silentAfterMs = 3 * hungAfterMs;
    this.#pool = new WorkerPool({
      ...options,
      ...options.workers,
      hungAfterMs,
      settings: { listeners, transport, checkTlsDirectory, limits, drain, workloadIdentities, silentAfterMs },
      state: () => ({
        snapshot: this.#snapshot(),
        isWithdrawn: this.state.current === null,
        workloads: this.#workloads,
      }),
      onGone: (worker) => void this.#sum.forget(worker), // only adds numbers up
    });
  }

  /** Nothing is judged here; `settled` tells the workers. */
  applied(): void {}

  settled(change: PolicyChange): Promise<void> {
    return this.#pool.apply(change);
  }

  withdraw(): void {
    this.state.withdraw();
    this.#pool.withdraw();
  }

  /** Takes in which pod has which address. */
  apply(changed: ReadonlyMap<string, Workload>, removed: readonly string[]): void {
    for (const name of removed) this.#workloads.delete(name);
    for (const [name, workload] of changed) this.#workloads.set(name, workload);
    this.#pool.takeWorkloads(changed, removed);
  }

  async start(snapshot: () => PolicySnapshot | null): Promise<readonly string[]> {
    this.#snapshot = snapshot;
    const { listeners } = this.#options;
    // A paused socket loses nothing while it changes hands.
    this.#servers = listeners.map((_, listener) =>
      createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
        socket.on("error", () => socket.destroy());
        this.#pool.handOver(listener, socket);
      }),
    );
    const addresses: string[] = [];
    try {
      for (const [index, server] of this.#servers.entries()) {
        addresses.push(await bind(server, listeners[index]?.address ?? ""));
      }
      await this.#pool.start();
    } catch (error) {
      this.#close();
      throw error;
    }
    this.#addresses = addresses;
    return addresses;
  }

  readiness(): readonly ReadinessCheck[] {
    const { workers, maxConnections } = this.#options;
    const { serving } = this.#pool;
    const ok = serving.length > 0;
    const open = serving.reduce((sum, { connections }) => sum + connections, 0);
    return [
      this.#checksCheck(),
      { name: "workers", ok, message: `${serving.length} of ${workers.count} answer checks` },
      connectionsCheck(open, serving.length * maxConnections),
    ];
  }

  metrics(): Promise<string> {
    return this.#sum.collect(this.#pool.workers);
  }

  async stop(): Promise<void> {
    this.#isDraining = true;
    const { waitMs, deadlineMs } = this.#options.drain;
    const drained = this.#pool.stop(waitMs + deadlineMs + DRAIN_GRACE_MS);
    // Connections are still given away while health checkers hear of the end.
    const ended = new AbortController();
    const { signal } = ended;
    const waited = sleepFor(waitMs, undefined, { signal }).catch(() => undefined); // all are gone already
    await Promise.race([drained, waited]);
    ended.abort();
    this.#close();
    await drained;
  }

  #checksCheck(): ReadinessCheck {
    if (this.#isDraining) return { name: "checks", ok: false, message: "draining" };
    if (this.#addresses.length === 0) return { name: "checks", ok: false, message: "starting" };
    return { name: "checks", ok: true, message: `answered on ${this.#addresses.join(", ")}` };
  }

  /** Their callbacks would wait for the connections that workers have. */
  #close(): void {
    for (const server of this.#servers) server.close();
  }
}
