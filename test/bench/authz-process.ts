import { startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { waitFor } from "../support/wait-for.ts";

/** An authz-server that follows the policy stream at the given address. Prints its port when it enforces. */
const [, , controller = "", transport] = process.argv;
const server = await startAuthzServer({
  controller,
  listeners: [{ address: "127.0.0.1:0", identity: null }],
  transport: transport === "grpc-js" ? "grpc-js" : "lean",
  log: pino({ level: "silent" }),
  registry: new Registry(),
});
await waitFor("policy is enforced", () => server.setVersion() !== null, 60_000);
process.stdout.write(`${server.checkAddresses[0]?.split(":").at(-1)}\n`);
