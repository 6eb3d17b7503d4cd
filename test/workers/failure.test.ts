import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { startAuthzServer } from "@gatehouse/authz-server";
import { pino } from "pino";
import { Registry } from "prom-client";
import { afterEach, describe, expect, it } from "vitest";
import { type CheckClient, connectCheckClient } from "../support/check-client.ts";
import { type RunningGatehouse, startGatehouse } from "../support/gatehouse.ts";
import { waitFor } from "../support/wait-for.ts";
import { workerPids } from "../support/workers.ts";

const running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.stop();
});

async function start(policies = ""): Promise<RunningGatehouse> {
  const gatehouse = await startGatehouse({ workers: 2, policies });
  running.push(gatehouse);
  return gatehouse;
}

function connect({ checkPort }: RunningGatehouse, count: number): readonly CheckClient[] {
  const clients = Array.from({ length: count }, () => connectCheckClient(checkPort));
  running.push(...clients);
  return clients;
}

/** HTTP status, or null when the call failed. */
const statusOf = (client: CheckClient): Promise<number | null> =>
  client.check().then(
    ({ status }) => status,
    () => null,
  );

/** Calls of one connection, one after the other. */
function startLoad(client: CheckClient): { readonly answered: () => number; stop(): Promise<number> } {
  let isOn = true;
  let failed = 0;
  let answered = 0;
  const loop = (async () => {
    while (isOn) {
      if ((await statusOf(client)) === 200) answered += 1;
      else failed += 1;
    }
  })();
  return {
    answered: () => answered,
    async stop() {
      isOn = false;
      await loop;
      return failed;
    },
  };
}

function firstOf(pids: readonly number[]): number {
  const [pid] = pids;
  if (pid === undefined) throw new Error("there is no worker");
  return pid;
}

function servingLine(metrics: string): string {
  return /^gatehouse_authz_workers\{state="serving"\} \d+$/m.exec(metrics)?.[0] ?? "";
}

const DENY_ALL = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: nothing, namespace: foo }
spec: {}
`;

describe("a worker that is killed", () => {
  it("loses the calls that it has and no others", async () => {
    const gatehouse = await start();
    const clients = connect(gatehouse, 4);
    const loads: ReturnType<typeof startLoad>[] = [];
    for (const client of clients) {
      await client.check(); // one after the other, so that each worker has two
      loads.push(startLoad(client));
    }
    await waitFor("all are busy", () => loads.every((load) => load.answered() > 20));
    const pids = workerPids();
    process.kill(firstOf(pids), "SIGKILL");
    await waitFor("there is another worker", () => workerPids().length === 2 && !workerPids().includes(firstOf(pids)));
    await waitFor("it serves", async () => /workers\{state="serving"\} 2\n/.test(await gatehouse.metrics()));
    const before = loads.map((load) => load.answered());
    await waitFor("all go on", () => loads.every((load, i) => load.answered() > (before[i] ?? 0) + 20));
    const failed = await Promise.all(loads.map((load) => load.stop()));
    expect(failed.toSorted()).toEqual([0, 0, 1, 1]);
    expect(await gatehouse.metrics()).toMatch(/^gatehouse_authz_worker_restarts_total 1$/m);
    expect(gatehouse.log().join("")).toMatch(/"signal":"SIGKILL".*"msg":"a worker ended unexpectedly/);
  });

  it("is followed by one that has the policy of now", async () => {
    const gatehouse = await start();
    const old = workerPids();
    process.kill(firstOf(old), "SIGKILL");
    await gatehouse.apply(DENY_ALL);
    await waitFor("it serves", async () => /workers\{state="serving"\} 2\n/.test(await gatehouse.metrics()));
    const clients = connect(gatehouse, 4);
    for (const client of clients) expect((await client.check()).status).toBe(403);
    const next = workerPids().find((pid) => !old.includes(pid));
    expect(await gatehouse.metrics()).toMatch(new RegExp(`test_worker_checks\\{pid="${next}"\\} 2\n`));
  });

  it("never goes on, nor is followed by one that goes on, with what was before an enforced change", async () => {
    const gatehouse = await start();
    const old = connect(gatehouse, 2);
    for (let round = 0; round < 5; round += 1) {
      const isDenied = round % 2 === 0;
      const applied = gatehouse.apply(isDenied ? DENY_ALL : "");
      const [killed] = workerPids().slice(round % 3 === 0 ? 1 : 0);
      // Before, while, or after the change is on its way.
      const killing = sleep(round * 60).then(() => killed !== undefined && process.kill(killed, "SIGKILL"));
      await applied;
      const all = [...old, ...connect(gatehouse, 2)];
      for (let ask = 0; ask < 20; ask += 1) {
        const statuses = await Promise.all(all.map(statusOf));
        expect(statuses).not.toContain(isDenied ? 200 : 403);
      }
      await killing;
      await waitFor("one serves", async () => / [12]$/.test(servingLine(await gatehouse.metrics())));
    }
    expect(await gatehouse.metrics()).toMatch(/worker_restarts_total [1-5]\n/);
  }, 60_000);

  it("leaves what it has counted", async () => {
    const gatehouse = await start();
    for (const client of connect(gatehouse, 4)) await client.check();
    const ALLOWED = /decisions_total\{decision="allow",reason="allowed"\} (\d+)\n/;
    const CHECKS_TIMED = /check_duration_seconds_count (\d+)\n/;
    const counts = async () => {
      const text = await gatehouse.metrics();
      return [ALLOWED, CHECKS_TIMED].map((pattern) => pattern.exec(text)?.[1]);
    };
    expect(await counts()).toEqual(["4", "4"]);
    for (const pid of workerPids()) process.kill(pid, "SIGKILL");
    await waitFor("others serve", async () => /worker_restarts_total 2\n/.test(await gatehouse.metrics()));
    expect(await counts()).toEqual(["4", "4"]);
  });
});

describe("a worker that hangs", () => {
  it("loses no connection that it has not taken: another gets it", async () => {
    const gatehouse = await start();
    process.kill(firstOf(workerPids()), "SIGSTOP");
    const statuses = await Promise.all(connect(gatehouse, 6).map(statusOf));
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200]);
    expect(await gatehouse.metrics()).toMatch(/^test_worker_checks\{pid="\d+"\} 6$/m);
  });

  it("is killed, and no change counts as enforced before", async () => {
    const gatehouse = await start();
    const clients = connect(gatehouse, 4);
    for (const client of clients) expect(await statusOf(client)).toBe(200);
    const hung = firstOf(workerPids());
    process.kill(hung, "SIGSTOP");
    await gatehouse.apply(DENY_ALL);
    expect(workerPids()).not.toContain(hung);
    const statuses = await Promise.all(clients.map(statusOf));
    expect(statuses.filter((status) => status !== null)).toContain(403);
    expect(statuses).not.toContain(200);
  });
});

describe("workers that can't start", () => {
  it("are the end of the server that wants them", async () => {
    const home = await mkdtemp(join(tmpdir(), "gatehouse-workers-"));
    running.push({ stop: () => rm(home, { recursive: true }) });
    await writeFile(join(home, "check-worker.js"), "process.exit(3);");
    const starting = startAuthzServer({
      controller: "127.0.0.1:1",
      listeners: [{ address: "127.0.0.1:0", identity: null }],
      workers: { count: 2, entry: pathToFileURL(join(home, "check-worker.js")), args: [], execArgv: [] },
      log: pino({ level: "silent" }),
      registry: new Registry(),
    });
    await expect(starting).rejects.toThrow("no worker process could start: they ended with code 3, code 3");
    expect(workerPids()).toEqual([]);
  });
});
