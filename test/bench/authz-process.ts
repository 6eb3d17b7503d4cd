import { startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { waitFor } from "../support/wait-for.ts";

/** An authz-server that follows the policy stream at the given address. Takes the transport and the number of workers, too. Prints its port when it enforces. */
const [, , controller = "", transport, workers] = process.argv;
const entry = new URL("../support/check-worker.ts", import.meta.url);
const server = await startAuthzServer({
  controller,
  listeners: [{ address: "127.0.0.1:0", identity: null }],
  transport: transport === "grpc-js" ? "grpc-js" : "lean",
  workers: workers === "1" ? null : { count: Number(workers), entry, args: [], execArgv: [] },
  log: pino({ level: "silent" }),
  registry: new Registry(),
});
await waitFor("policy is enforced", () => server.setVersion() !== null, 60_000);
process.stdout.write(`${server.checkAddresses[0]?.split(":").at(-1)}\n`);
