import process from "node:process";
import { startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { testWorkers } from "./workers.ts";

// A server with two workers as a process of its own, without policy. It prints a line when they are up.

await startAuthzServer({
  controller: "127.0.0.1:1",
  listeners: [{ address: "127.0.0.1:0", identity: null }],
  workers: testWorkers(2),
  drain: { waitMs: 0, deadlineMs: 500 },
  log: pino({ level: "silent" }),
  registry: new Registry(),
});
process.stdout.write("up\n");
