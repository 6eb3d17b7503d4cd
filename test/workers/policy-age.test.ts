import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type RunningAuthzServer, startAuthzServer } from "@gatehouse/authz-server";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, expect, it } from "vitest";
import { connectCheckClient } from "../support/check-client.ts";
import { type PolicyPublisher, startPolicyPublisher } from "../support/policy-publisher.ts";
import { waitFor } from "../support/wait-for.ts";
import { testWorkers, workerPids } from "../support/workers.ts";

const running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.stop();
});

it("workers enforce no policy that is too old, nor does one that starts then, until the controller is heard", async () => {
  const home = await mkdtemp(join(tmpdir(), "gatehouse-workers-"));
  running.push({ stop: () => rm(home, { recursive: true }) });
  const address = `unix:${join(home, "xds.sock")}`;
  const controller = await publish(address);
  const server = await startAuthzServer({
    controller: address,
    listeners: [{ address: `unix:${join(home, "checks.sock")}`, identity: null }],
    workers: testWorkers(2),
    maxPolicyAgeMs: 300,
    backOff: { baseMs: 10, capMs: 20 },
    drain: { waitMs: 0, deadlineMs: 500 },
    log: pino({ level: "silent" }),
    registry: new Registry(),
  });
  running.push(server);
  const isReady = () => server.readiness().every(({ ok }) => ok);
  await waitFor("it is ready", isReady);
  expect(await askFourTimes(server)).toEqual(new Set([200]));

  await controller.stop();
  await waitFor("the policy is too old", () => server.setVersion() === null);
  await waitFor("all workers heard of it", async () => hasOnly(await askFourTimes(server), status.UNAVAILABLE));
  const [killed = 0] = workerPids();
  process.kill(killed, "SIGKILL");
  await waitFor("another serves", () => workerPids().length === 2 && !workerPids().includes(killed));
  await waitFor("it is up", () => server.readiness().some(({ message }) => message === "2 of 2 answer checks"));
  expect(await askFourTimes(server)).toEqual(new Set([status.UNAVAILABLE]));
  expect(isReady()).toBe(false);

  running.push(await publish(address));
  await waitFor("it is ready again", isReady);
  expect(await askFourTimes(server)).toEqual(new Set([200]));
});

async function publish(address: string): Promise<PolicyPublisher> {
  const publisher = await startPolicyPublisher(address);
  publisher.publish(new Map([["mesh", [parseMeshConfig("").meshConfig]]]));
  return publisher;
}

/** HTTP status or gRPC code, over four connections at the same time. */
async function askFourTimes(server: RunningAuthzServer): Promise<ReadonlySet<number>> {
  const clients = [1, 2, 3, 4].map(() => connectCheckClient(server.checkAddresses[0] ?? ""));
  try {
    return new Set(
      await Promise.all(
        clients.map((client) =>
          client.check().then(
            (answer) => answer.status,
            (error: { readonly code: number }) => error.code,
          ),
        ),
      ),
    );
  } finally {
    for (const client of clients) client.stop();
  }
}

function hasOnly(codes: ReadonlySet<number>, wanted: number): boolean {
  return codes.size === 1 && codes.has(wanted);
}
