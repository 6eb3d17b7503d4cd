import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls, createServer } from "node:tls";
import { afterEach, expect, test, vi } from "vitest";
import { ConnectionRoom, connectionsCheck } from "./connection-room.ts";
import { listen } from "./listen.ts";

const cleanUps: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

interface Started {
  readonly room: ConnectionRoom;
  /** Connects to the listeners in turn. @returns the client's end, and the server's if it was let in */
  dial(): Promise<{ readonly socket: Socket; readonly taken: Socket | null }>;
  refused(): number;
}

/** A room with two listeners: a port and a unix socket. */
async function start(max: number): Promise<Started> {
  const home = await mkdtemp(join(tmpdir(), "connection-room-"));
  cleanUps.push(() => rm(home, { recursive: true }));
  let refused = 0;
  let judged = Promise.withResolvers<Socket | null>();
  const room = new ConnectionRoom(max, () => {
    refused += 1;
    judged.resolve(null);
  });
  const listenWithin = room.within(listen);
  const port = await listenWithin("127.0.0.1:0", (socket) => judged.resolve(socket));
  const path = await listenWithin(`unix:${join(home, "check.sock")}`, (socket) => judged.resolve(socket));
  let dialled = 0;
  for (const listening of [port, path]) {
    cleanUps.push(async () => {
      listening.destroyConnections();
      await listening.close();
    });
  }
  return {
    room,
    refused: () => refused,
    async dial() {
      judged = Promise.withResolvers();
      dialled += 1;
      const socket =
        dialled % 2 === 0
          ? connect(path.address.slice("unix:".length))
          : connect(Number(port.address.split(":").at(-1)), "127.0.0.1");
      socket.on("error", () => undefined);
      cleanUps.push(() => socket.destroy());
      return { socket, taken: await judged.promise };
    },
  };
}

test("lets so many connections in over all listeners, and closes and counts what comes beyond", async () => {
  const { room, dial, refused } = await start(3);
  const let3In = [await dial(), await dial(), await dial()];
  expect(let3In.map(({ taken }) => taken?.destroyed)).toEqual([false, false, false]);
  expect(room.readiness()).toEqual({
    name: "connections",
    ok: false,
    message: "3 of 3 are open; new ones are refused",
  });
  for (const beyond of [await dial(), await dial()]) {
    expect(beyond.taken).toBeNull();
    beyond.socket.resume();
    await vi.waitFor(() => expect(beyond.socket.destroyed).toBe(true));
  }
  expect(refused()).toBe(2);
  expect(let3In.map(({ socket }) => socket.destroyed)).toEqual([false, false, false]);
});

test("has room again when a connection has ended, whichever side ended it", async () => {
  const { room, dial, refused } = await start(1);
  for (const side of ["socket", "taken"] as const) {
    const first = await dial();
    expect(room.readiness().ok).toBe(false);
    first.taken?.resume(); // the end is read as any other byte
    first[side]?.destroy();
    const free = { name: "connections", ok: true, message: "0 of 1 are open" };
    await vi.waitFor(() => expect(room.readiness()).toEqual(free));
  }
  expect(refused()).toBe(0);
});

test("has room again when a connection has ended on which TLS was spoken, or only asked for", async () => {
  const { room, dial } = await start(1);
  const pem = readFileSync(new URL("../../../test/support/tls/server.pem", import.meta.url));
  for (const ends of ["client", "server", "silent"]) {
    const server = createServer({ key: pem, cert: pem, handshakeTimeout: ends === "silent" ? 10 : 10_000 });
    server.on("tlsClientError", (_, refused) => refused.destroy());
    const { socket, taken } = await dial();
    server.emit("connection", taken);
    if (ends !== "silent") {
      const client = connectTls({ socket, rejectUnauthorized: false }).on("error", () => undefined);
      const [secured] = await once(server, "secureConnection");
      secured.resume();
      (ends === "client" ? client : secured).destroy();
    }
    await vi.waitFor(() => expect(room.readiness().ok).toBe(true));
  }
});

test("where nobody can take a connection there is no room", () => {
  expect(connectionsCheck(0, 0)).toMatchObject({ ok: false });
});
