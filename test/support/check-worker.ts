import process from "node:process";
import { runCheckWorker } from "@gatehouse/authz-server/worker";
import { pino } from "pino";
import { Gauge, Registry } from "prom-client";

// One worker of the authz-server under test; see workers.ts.

const registry = new Registry();
new Gauge({
  name: "test_worker_checks",
  help: "Checks that this very worker has answered.",
  labelNames: ["pid"],
  registers: [registry],
  async collect() {
    const decisions = await registry.getSingleMetric("gatehouse_authz_decisions_total")?.get();
    const total = decisions?.values.reduce((sum, { value }) => sum + value, 0) ?? 0;
    this.set({ pid: process.pid }, total);
  },
});
await runCheckWorker({ log: pino({ level: "silent" }), registry });
process.exit(0);
