import { connect, type Socket } from "node:net";
import process from "node:process";
import { type AuthzServerOptions, type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, expect, it } from "vitest";
import { FLAG, FRAME, PREFACE, rawFrame, settingsFrame } from "../support/raw-http2.ts";
import { waitFor } from "../support/wait-for.ts";
import { testWorkers, workerPids } from "../support/workers.ts";

const running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.stop();
});

it.each(["lean", "grpc-js"] as const)(
  "each worker has room for so many connections, and for another when one has ended, transport %s",
  async (transport) => {
    const server = await start({ transport, maxConnections: 2 });
    const clients = [dial(server), dial(server), dial(server), dial(server)];
    await waitForConnections(server, { ok: false, message: "4 of 4 are open; new ones are refused" });
    const beyond = dial(server);
    await waitFor("it is refused", () => beyond.closed);
    expect(clients.map(({ closed }) => closed)).toEqual([false, false, false, false]);
    expect(await server.metrics()).toContain('connections_cut_total{reason="no_room"} 1\n');
    clients[0]?.destroy();
    await waitForConnections(server, { ok: true, message: "3 of 4 are open" });
    dial(server);
    await waitForConnections(server, { ok: false, message: "4 of 4 are open; new ones are refused" });
  },
);

it("what a worker had open when it was killed takes no room from the next", async () => {
  const server = await start({ maxConnections: 2 });
  for (let count = 0; count < 4; count += 1) dial(server);
  await waitForConnections(server, { ok: false, message: "4 of 4 are open; new ones are refused" });
  const [killed = 0] = workerPids();
  process.kill(killed, "SIGKILL");
  await waitForConnections(server, { ok: true, message: "2 of 4 are open" });
  dial(server);
  dial(server);
  await waitForConnections(server, { ok: false, message: "4 of 4 are open; new ones are refused" });
});

/** With two workers, and without policy. */
async function start(options: Partial<AuthzServerOptions>): Promise<RunningAuthzServer> {
  const server = await startAuthzServer({
    controller: "127.0.0.1:1",
    listeners: [{ address: "127.0.0.1:0", identity: null }],
    workers: testWorkers(2),
    drain: { waitMs: 0, deadlineMs: 500 },
    log: pino({ level: "silent" }),
    registry: new Registry(),
    ...options,
  });
  running.push(server);
  return server;
}

function dial(server: RunningAuthzServer): Socket {
  const socket = connect(Number(server.checkAddresses[0]?.split(":").at(-1)), "127.0.0.1").resume();
  socket.on("error", () => undefined);
  // Whoever is silent is cut after some seconds.
  socket.write(Buffer.concat([PREFACE, settingsFrame({}), rawFrame(FRAME.settings, FLAG.ack, 0)]));
  running.push({ stop: () => socket.destroy() });
  return socket;
}

async function waitForConnections(
  server: RunningAuthzServer,
  expected: { readonly ok: boolean; readonly message: string },
): Promise<void> {
  await waitFor(expected.message, () => {
    const check = server.readiness().find(({ name }) => name === "connections");
    return check?.ok === expected.ok && check.message === expected.message;
  });
}
