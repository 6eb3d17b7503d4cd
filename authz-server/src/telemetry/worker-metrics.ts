import { Counter, Gauge, type Registry } from "prom-client";

/** How many workers there are, by what they do. */
export interface WorkerCounts {
  readonly serving: number;
  readonly starting: number;
}

/** What the pool of workers reports. */
export interface WorkerMetrics {
  /** @param counts asked at each scrape */
  observe(counts: () => WorkerCounts): void;
  /** Counts a worker that was started in place of one that ended. */
  restarted(): void;
}

/** Registers the metrics of the workers; a server without workers counts as one. */
export function createWorkerMetrics(registry: Registry): WorkerMetrics {
  let current = (): WorkerCounts => ({ serving: 1, starting: 0 });
  new Gauge({
    name: "gatehouse_authz_workers",
    help: "Processes that answer checks (serving), or that get their policy before they may (starting).",
    labelNames: ["state"],
    registers: [registry],
    collect() {
      for (const [state, count] of Object.entries(current())) this.set({ state }, count);
    },
  });
  const restarts = new Counter({
    name: "gatehouse_authz_worker_restarts_total",
    help: "Workers that were started in place of one that ended unexpectedly.",
    registers: [registry],
  });
  return {
    observe(counts) {
      current = counts;
    },
    restarted: () => restarts.inc(),
  };
}
