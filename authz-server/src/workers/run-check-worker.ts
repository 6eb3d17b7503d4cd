import { Socket } from "node:net";
import process from "node:process";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import { type Certificates, openCertificates } from "../certificates.ts";
import { PolicyApplier } from "../discovery/apply.ts";
import { type KeyHintLimits, KeyHints } from "../discovery/key-hints.ts";
import type { HeldResource } from "../discovery/policy-snapshot.ts";
import type { DrainTimes } from "../server/grpc-server.ts";
import { LocalChecks } from "../server/local-checks.ts";
import { createCheckMetrics, type DiscoveryMetrics } from "../telemetry/metrics.ts";
import { WorkloadDirectory } from "../workload-directory.ts";
import { afterAwake } from "./awake-timer.ts";
import { HandedOver } from "./handed-over.ts";
import { type FromWorker, isMessage, type ToWorker, type WorkerAnswer, type WorkerSettings } from "./messages.ts";

export interface CheckWorkerOptions {
  readonly log: Logger;
  /** Where records of AUDIT policies go; default: `log` with `name: "audit"`, whatever its level. */
  readonly auditLog?: Logger;
  /** Of this worker alone; the primary adds it to the others. */
  readonly registry: Registry;
}

/**
 * Answers checks as a worker of the process that started this one, with the connections and the policy that it hands over.
 * Signals are not listened to: they reach the whole process group, and the primary says when to stop.
 * @returns resolves when the process may end: it was drained, or the primary is gone
 * @throws what keeps it from following the primary; the process must end then
 */
export async function runCheckWorker(options: CheckWorkerOptions): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const worker = new CheckWorker(options, ended);
  process.on("message", (message: unknown, handle: unknown) => {
    if (isMessage<ToWorker>(message)) worker.receive(message, handle instanceof Socket ? handle : null);
  });
  process.once("disconnect", () => worker.orphaned("gone"));
  await ended.promise;
}

/** The primary limits further, over all workers; this only spares it messages. */
const HINT_LIMITS: KeyHintLimits = { perKeySetMs: 1000, burst: 20, perSecond: 5 };

/** The primary has them. */
const NO_METRICS: DiscoveryMetrics = {
  streamConnected: () => undefined,
  nack: () => undefined,
  policyApplied: () => undefined,
  lastGood: () => undefined,
};

/** What there is once the settings are known. */
interface Started {
  readonly settings: WorkerSettings;
  readonly checks: LocalChecks;
  readonly applier: PolicyApplier;
  readonly certificates: Certificates;
}

class CheckWorker {
  readonly #options: CheckWorkerOptions;
  readonly #log: Logger;
  readonly #ended: PromiseWithResolvers<void>;
  readonly #connections = new HandedOver(() => tell({ kind: "closed" }));
  readonly #workloads = new WorkloadDirectory();
  readonly #started = Promise.withResolvers<Started>();
  /** Whatever changes what is enforced, in the order in which it came. */
  #queue: Promise<unknown> = this.#started.promise;
  #arriving: HeldResource[] = [];
  #endSilence: () => void = () => undefined;

  constructor(options: CheckWorkerOptions, ended: PromiseWithResolvers<void>) {
    this.#options = options;
    this.#log = options.log.child({ worker: process.pid });
    this.#ended = ended;
  }

  receive(message: ToWorker, socket: Socket | null): void {
    switch (message.kind) {
      case "start":
        this.#run(async () => this.#started.resolve(await this.#start(message.settings)));
        return;
      case "resources":
        for (const resource of message.resources) this.#arriving.push(resource);
        return;
      case "apply":
        this.#apply(message.id, message.setVersion, message.removed);
        return;
      case "withdraw":
        this.#enqueue(({ checks }) => checks.withdraw());
        return;
      case "workloads":
        this.#enqueue(() => this.#workloads.apply(message.changed, message.removed));
        return;
      case "sync":
        this.#enqueue(() => answer(message.id, { kind: "done" }));
        return;
      case "connection":
        tell({ kind: "taken", id: message.id });
        if (socket === null) tell({ kind: "closed" });
        else this.#connections.accept(message.listener, socket);
        return;
      case "metrics":
        this.#run(async () => {
          const metrics = await this.#options.registry.getMetricsAsJSON();
          answer(message.id, { kind: "metrics", metrics });
        });
        return;
      case "ping":
        this.#enqueue(({ settings }) => this.#listenFor(settings.silentAfterMs));
        answer(message.id, { kind: "done" });
        return;
      case "drain":
        this.#run(() => this.#drain());
        return;
    }
  }

  /** Nobody brings policy any more: the calls that run are finished, and no others are taken. */
  orphaned(primary: "gone" | "silent"): void {
    this.#log.error({ primary }, "the primary process brings no policy any more; this worker ends");
    this.#run(async () => {
      const { settings } = await this.#started.promise;
      await this.#drain({ ...settings.drain, waitMs: 0 });
    });
  }

  async #start(settings: WorkerSettings): Promise<Started> {
    const { auditLog, registry } = this.#options;
    const log = this.#log;
    const clock = { nowMs: Date.now, random: Math.random };
    const { checkTlsDirectory } = settings;
    const certificates = await openCertificates({ ...clock, checkTlsDirectory, xdsTls: null, log, registry });
    const hints = new KeyHints(() => performance.now(), HINT_LIMITS);
    hints.connect((keySet) => tell({ kind: "unknownKey", keySet }));
    const checks = new LocalChecks({
      ...settings,
      ...clock,
      maxConnections: Number.POSITIVE_INFINITY, // the primary gives no more than there is room for
      metrics: createCheckMetrics(registry),
      registry,
      log,
      auditLog,
      tls: certificates.checkTls,
      onUnknownKey: (keySet) => hints.report(keySet),
      workloads: settings.workloadIdentities ? this.#workloads : null,
      listen: this.#connections.listen,
    });
    const applier = new PolicyApplier({
      state: checks.state,
      metrics: NO_METRICS,
      // The primary has said the rest, once for all workers.
      log: log.isLevelEnabled("warn") ? log.child({}, { level: "warn" }) : log,
      nowMs: clock.nowMs,
      onApplied: () => checks.applied(applier.hasMeshConfig),
    });
    await checks.start();
    return { settings, checks, applier, certificates };
  }

  #apply(id: number, setVersion: string, removed: readonly string[]): void {
    const upserts = this.#arriving;
    this.#arriving = [];
    this.#enqueue(async ({ applier }) => {
      const verdict = await applier.apply({ setVersion, upserts, removed });
      answer(id, verdict.kind === "applied" ? { kind: "done" } : verdict);
    });
  }

  #listenFor(silentAfterMs: number): void {
    this.#endSilence();
    this.#endSilence = afterAwake(silentAfterMs, () => this.orphaned("silent"));
  }

  async #drain(times?: DrainTimes): Promise<void> {
    const { checks, certificates } = await this.#started.promise;
    await checks.stop(times);
    certificates.stop();
    this.#ended.resolve();
  }

  #enqueue(task: (started: Started) => void | Promise<void>): void {
    this.#queue = this.#queue.then(async () => task(await this.#started.promise)).catch(this.#ended.reject);
  }

  #run(task: () => Promise<void>): void {
    void task().catch(this.#ended.reject); // the process ends
  }
}

function answer(id: number, said: WorkerAnswer): void {
  tell({ kind: "answer", id, answer: said });
}

function tell(message: FromWorker): void {
  // Without a primary there is nobody to tell.
  if (process.connected) process.send?.(message, undefined, {}, () => undefined);
}
