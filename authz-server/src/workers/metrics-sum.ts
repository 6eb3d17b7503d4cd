import { setTimeout as sleepFor } from "node:timers/promises";
import { AggregatorRegistry, type Registry } from "prom-client";
import type { Worker } from "./worker.ts";

type Metrics = readonly object[];

/** A worker that is too busy to answer is counted as it was last seen. */
const ANSWER_MS = 2000;

/** The metrics of the primary and of all workers, as one. Counters never fall: what a worker has counted stays when it ends. */
export class MetricsSum {
  readonly #own: Registry;
  readonly #last = new Map<Worker, Metrics>();
  #past: Metrics = [];

  constructor(own: Registry) {
    this.#own = own;
  }

  /** In Prometheus's text format. */
  async collect(workers: readonly Worker[]): Promise<string> {
    await Promise.all(workers.map((worker) => this.#look(worker)));
    const own = await this.#own.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([own.map(keepOwn), this.#past, ...this.#last.values()]).metrics();
  }

  /** Keeps what the worker has counted. */
  async forget(worker: Worker): Promise<void> {
    const counted = (this.#last.get(worker) ?? []).filter(isCounted);
    this.#last.delete(worker);
    this.#past = await AggregatorRegistry.aggregate([this.#past, counted]).getMetricsAsJSON();
  }

  async #look(worker: Worker): Promise<void> {
    const ended = new AbortController();
    const late = sleepFor(ANSWER_MS, null, { signal: ended.signal }).catch(() => null); // no longer waited for
    const metrics = await Promise.race([worker.metrics(), late]);
    ended.abort();
    if (metrics !== null) this.#last.set(worker, metrics);
  }
}

/** What can't be added up, such as the time of the start, is told of the primary. */
function keepOwn<Metric extends { readonly aggregator: string }>(metric: Metric): Metric {
  return metric.aggregator === "omit" ? { ...metric, aggregator: "first" } : metric;
}

function isCounted(metric: object): boolean {
  return "type" in metric && metric.type !== "gauge";
}
