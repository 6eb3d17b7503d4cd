import type { Socket } from "node:net";
import { setTimeout as sleepFor } from "node:timers/promises";
import type { Workload } from "@gatehouse/protos";
import type { Logger } from "pino";
import type { PolicyChange } from "../discovery/apply.ts";
import { type BackOff, backOffMs } from "../discovery/back-off.ts";
import type { WorkerMetrics } from "../telemetry/worker-metrics.ts";
import type { WorkerSettings } from "./messages.ts";
import { Worker, type WorkerState } from "./worker.ts";
import type { WorkerProcessOptions } from "./worker-process.ts";

export interface WorkerPoolOptions extends Omit<WorkerProcessOptions, "onReturned"> {
  readonly count: number;
  readonly settings: WorkerSettings;
  /** What a worker has to know that starts now. */
  readonly state: () => WorkerState;
  /** Told of each connection that no worker can take. */
  readonly onRefused: () => void;
  /** Told of each worker that is gone. */
  readonly onGone: (worker: Worker) => void;
  /** Between the end of a worker and the start of its successor. */
  readonly backOff: BackOff;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly metrics: WorkerMetrics;
  readonly log: Logger;
}

/** A worker that lived so long did not end because of how it was started. */
const STEADY_MS = 60_000;

/** Keeps a number of workers alive, and all of them at the same policy. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers = new Set<Worker>();
  readonly #ending = new AbortController();
  #slots: Promise<unknown> = Promise.resolve();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    options.metrics.observe(() => ({
      serving: this.serving.length,
      starting: this.#workers.size - this.serving.length,
    }));
  }

  get workers(): readonly Worker[] {
    return [...this.#workers];
  }

  /** Those that have the policy and answer checks. */
  get serving(): readonly Worker[] {
    return this.workers.filter((worker) => worker.isServing);
  }

  /** Starts all. Resolves when each of them serves or has failed. @throws when none serves */
  async start(): Promise<void> {
    const first = Array.from({ length: this.#options.count }, () => this.#startWorker());
    const serve = await Promise.all(first.map((worker) => worker.serves));
    if (!serve.includes(true)) {
      const exits = await Promise.all(first.map((worker) => worker.exited));
      const ends = exits.map(({ code, signal }) => (signal === null ? `code ${code}` : `signal ${signal}`));
      throw new Error(`no worker process could start: they ended with ${ends.join(", ")}`);
    }
    this.#slots = Promise.all(first.map((worker) => this.#keep(worker)));
  }

  /** Resolves when each worker that serves has applied the change; those that can't are killed. Never rejects. */
  async apply(change: PolicyChange): Promise<void> {
    const all = this.workers.map((worker) => ({ isServing: worker.isServing, applied: worker.apply(change) }));
    await Promise.all(all.map(({ isServing, applied }) => (isServing ? applied : null)));
  }

  withdraw(): void {
    for (const worker of this.#workers) worker.withdraw();
  }

  takeWorkloads(changed: ReadonlyMap<string, Workload>, removed: readonly string[]): void {
    for (const worker of this.#workers) worker.takeWorkloads(changed, removed);
  }

  /** Gives a connection to whoever has the fewest: they last for hours, and taking turns would leave them uneven. */
  handOver(listener: number, socket: Socket): void {
    const [first, ...others] = this.serving.filter(({ hasRoom }) => hasRoom);
    const worker = others.reduce<Worker | undefined>(
      (least, other) => (least !== undefined && least.connections <= other.connections ? least : other),
      first,
    );
    if (worker !== undefined) {
      worker.handOver(listener, socket);
      return;
    }
    socket.destroy();
    this.#options.onRefused();
  }

  /** Lets all workers drain. @param limitMs what is left after that is killed */
  async stop(limitMs: number): Promise<void> {
    this.#ending.abort();
    for (const worker of this.#workers) worker.drain();
    const workers = this.workers;
    const cut = setTimeout(() => {
      for (const worker of this.#workers) worker.kill({ limitMs });
    }, limitMs);
    await Promise.all(workers.map((worker) => worker.exited));
    clearTimeout(cut);
    await this.#slots;
  }

  /** One worker and its successors, until the pool is stopped. */
  async #keep(first: Worker): Promise<void> {
    const { log, metrics, backOff, random } = this.#options;
    const { signal } = this.#ending;
    let worker = first;
    let failures = 0;
    for (;;) {
      const startedMs = performance.now();
      const exit = await worker.exited;
      if (signal.aborted) return;
      failures = performance.now() - startedMs > STEADY_MS ? 1 : failures + 1;
      const delayMs = Math.round(backOffMs(backOff, failures, random()));
      log.error(
        { worker: worker.pid, ...exit, delayMs },
        "a worker ended unexpectedly; its calls are lost, another starts",
      );
      await sleepFor(delayMs, undefined, { signal }).catch(() => undefined); // the pool is stopped
      if (signal.aborted) return;
      metrics.restarted();
      worker = this.#startWorker();
    }
  }

  #startWorker(): Worker {
    const { settings, state, onGone } = this.#options;
    const onReturned = (listener: number, socket: Socket): void => this.handOver(listener, socket);
    const worker = new Worker({ ...this.#options, onReturned }, settings, state());
    this.#workers.add(worker);
    void worker.exited.then(() => {
      this.#workers.delete(worker);
      onGone(worker);
    });
    return worker;
  }
}
