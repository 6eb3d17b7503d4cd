import process from "node:process";
import { runCheckWorker } from "@gatehouse/authz-server/worker";
import { collectDefaultMetrics, Registry } from "prom-client";
import { createAuditLog, createLog, LOG_LEVELS } from "./log.ts";

// The process of one worker, started by `--workers`: see worker-entry.ts.

// Ctrl-C and the like reach the whole process group. The primary drains its workers; nobody else stops them.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);

const level = LOG_LEVELS.find((known) => known === process.argv[2]) ?? "info";
const log = createLog(level);
process.on("unhandledRejection", die);
process.on("uncaughtException", die);

const registry = new Registry();
collectDefaultMetrics({ register: registry });
await runCheckWorker({ log, auditLog: createAuditLog(), registry });
process.exit(0);

/** The primary starts another. */
function die(error: unknown): void {
  log.fatal({ worker: process.pid, err: error }, "unexpected failure");
  process.exit(1);
}
