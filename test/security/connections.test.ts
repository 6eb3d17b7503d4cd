import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Transport } from "@gatehouse/authz-server";
import { loadHealth } from "@gatehouse/protos/wire";
import { credentials } from "@grpc/grpc-js";
import { afterEach, describe, expect } from "vitest";
import { connectCheckClient } from "../support/check-client.ts";
import { TRANSPORTS } from "../support/check-server.ts";
import { startGatehouseProcess } from "../support/gatehouse-process.ts";
import { grpcData, grpcHeaders, PREFACE, rawCall, settingsFrame } from "../support/raw-http2.ts";
import { waitFor } from "../support/wait-for.ts";
import { startCheckServerProcess } from "../transport/server-process.ts";
import { attacksAt, securityTest } from "./register.ts";

const attack = attacksAt("unit");

/** So many, or what the variable HEALTH_PROBES says (`make soak`). */
const PROBES = Number(process.env["HEALTH_PROBES"] ?? 10_000);
/**
 * Of a connection that has ended. Node keeps an empty list for each duration that a timer had which did not hold the process up, until that time has
 * passed; the age that grpc-js gives to a connection differs by up to 12 minutes, so there are 720,000 of them at the most.
 */
const KEPT_BYTES: Readonly<Record<Transport, number>> = { lean: 0, "grpc-js": 200 };
const IDLE = 10_000;

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const MB = 1 << 20;

describe.each(TRANSPORTS)("%s", (transport) => {
  securityTest(
    attack("J10", "M", {
      source: "grpc-node 2975",
      title: "thousands of connections, each for one health check",
      outcome: "all are answered; memory stays flat",
    }),
    async () => {
      const server = await startCheckServerProcess(0, 0, transport);
      cleanUps.push(() => server.kill());
      for (let round = 0; round < PROBES / 10; round += 1) await probe(server.port);
      const before = { inUse: await server.inUse(), rss: server.rss() };
      for (let round = 0; round < (PROBES * 9) / 10; round += 1) await probe(server.port);
      // Connections that are just being closed hold some memory for a moment.
      await waitFor("no more is in use than before", async () => {
        return (await server.inUse()) - before.inUse < MB + PROBES * KEPT_BYTES[transport];
      });
      // The collector is in no hurry.
      expect(server.rss() - before.rss).toBeLessThan(250 * MB);
    },
    60_000 + 10 * PROBES,
  );

  describe.each([1, 2])("%i processes that answer", (workers) => {
    securityTest(
      attack("J11", "M", {
        source: "CVE-2020-8663",
        title: `10,000 idle connections to a server that may have 1,024 open files${workers > 1 ? ", with workers" : ""}`,
        outcome:
          "those who are connected are answered; new ones are refused and counted until there is room, and it is not ready",
      }),
      async () => {
        const flags = ["--transport", transport, "--workers", String(workers)];
        const gatehouse = await startGatehouseProcess(1024, flags);
        cleanUps.push(() => gatehouse.stop());
        const { checkPort } = gatehouse;
        const early = connectClient(checkPort);
        await expectAnswers(early);

        const idle = new IdleConnections(checkPort);
        cleanUps.push(() => idle.end());
        await idle.open(IDLE);
        await waitFor("it is full", async () => {
          await idle.open(100); // the silent are cut after a while
          const { isReady, text } = await gatehouse.readiness();
          return !isReady && /connections.* of \d+ are open; new ones are refused/.test(text);
        });
        await expectAnswers(early);
        expect(await gatehouse.metric(REFUSED)).toBeGreaterThan(IDLE / 2);
        if (workers > 1) expect(await gatehouse.metric("gatehouse_authz_worker_restarts_total")).toBe(0);

        idle.end();
        await waitFor("it is ready", async () => (await gatehouse.readiness()).isReady);
        await expectAnswers(connectClient(checkPort));
        await expectAnswers(early);
        expect(gatehouse.isAlive()).toBe(true);
      },
      60_000,
    );
  });
});

const REFUSED = 'gatehouse_authz_connections_cut_total{reason="no_room"}';

/** Over a connection of its own. */
async function probe(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  let seen = Buffer.alloc(0);
  socket.on("data", (bytes: Buffer) => {
    seen = Buffer.concat([seen, bytes]);
  });
  socket.write(Buffer.concat([PREFACE, settingsFrame({}), rawCall(1, new Uint8Array(), HEALTH_CHECK)]));
  while (!seen.includes(SERVING)) await once(socket, "data");
  socket.destroy();
}

const HEALTH_CHECK = grpcHeaders("/grpc.health.v1.Health/Check");
/** A HealthCheckResponse. */
const SERVING = grpcData(Buffer.from([8, 1]));

interface EarlyClient {
  /** The HTTP status of a check, and what the health service says. */
  ask(): Promise<readonly [number, string]>;
}

function connectClient(port: number): EarlyClient {
  const checks = connectCheckClient(port);
  const health = new (loadHealth())(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  cleanUps.push(
    () => checks.stop(),
    () => health.close(),
  );
  return {
    async ask() {
      const { status } = await checks.check();
      const serving = await new Promise<string>((resolve) =>
        health.Check({ service: "" }, (error, answer) => resolve(answer?.status ?? String(error))),
      );
      return [status, serving];
    },
  };
}

async function expectAnswers(client: EarlyClient): Promise<void> {
  expect(await client.ask()).toEqual([200, "SERVING"]);
}

/** Clients that connect and say nothing. */
class IdleConnections {
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  constructor(port: number) {
    this.#port = port;
  }

  /** So many more; those that the server closes are not counted. */
  async open(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 100) {
      await Promise.all(Array.from({ length: Math.min(left, 100) }, () => this.#dial()));
    }
  }

  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #dial(): Promise<void> {
    const socket = connect(this.#port, "127.0.0.1").resume();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    return new Promise((resolve) => {
      socket.once("connect", resolve);
      socket.once("error", () => resolve());
    });
  }
}
