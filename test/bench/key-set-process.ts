import { startAuthzServer } from "@gatehouse/authz-server";
import { startController } from "@gatehouse/controller";
import { pino } from "pino";
import { Registry } from "prom-client";
import { startTurnMeter } from "./turn-meter.ts";

/** A controller or an authz-server in a process of its own: says what state it is in and how long its turns were, when asked. */
const [role = "", xdsAddress = "", directory = ""] = process.argv.slice(2);
const meter = startTurnMeter();
const common = { log: pino({ level: "warn" }, pino.destination(2)), registry: new Registry() };
const isDone = role === "controller" ? await controller() : await authzServer();

process.on("message", () => process.send?.({ isDone: isDone(), turn: meter.take() }));
process.on("disconnect", () => process.exit(0));
process.send?.("started");

async function controller(): Promise<() => boolean> {
  const source = { kind: "directory", path: directory } as const;
  const keys = { allowLoopback: true, dataDirectory: `${directory}-keys` };
  const running = await startController({ ...common, source, xdsAddress, keys });
  return () => running.setVersion() !== null && running.keySources().every(({ state }) => state === "ready");
}

async function authzServer(): Promise<() => boolean> {
  const listeners = [{ address: "127.0.0.1:0", identity: null }];
  const running = await startAuthzServer({ ...common, controller: xdsAddress, listeners, dataDirectory: directory });
  return () => running.setVersion() !== null;
}
