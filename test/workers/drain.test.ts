import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, it } from "vitest";
import { type CheckClient, connectCheckClient } from "../support/check-client.ts";
import { custom, httpEntry, mesh } from "../support/custom-bench.ts";
import { startHttpProvider } from "../support/ext-authz-provider.ts";
import { startGatehouse } from "../support/gatehouse.ts";
import { waitFor } from "../support/wait-for.ts";
import { isAlive, workerPids } from "../support/workers.ts";

const PROGRAM = fileURLToPath(new URL("../../cli/bin/gatehouse.js", import.meta.url));
const running: { stop(): unknown }[] = [];

afterEach(async () => {
  for (const part of running.splice(0).toReversed()) await part.stop();
});

describe("a server with workers that is stopped", () => {
  it("answers the calls that it has, and leaves no process behind", async () => {
    const open: ServerResponse[] = [];
    const provider = await startHttpProvider((_, response) => open.push(response));
    running.push(provider);
    const gatehouse = await startGatehouse({
      workers: 2,
      meshConfig: mesh(httpEntry("p", provider.port)),
      policies: custom("p"),
      drain: { waitMs: 100, deadlineMs: 10_000 },
    });
    running.push(gatehouse);
    const clients = [1, 2, 3, 4].map(() => connectCheckClient(gatehouse.checkPort));
    running.push(...clients);
    const calls = clients.map((client) => client.check());
    await waitFor("all are asked about", () => open.length === 4);
    const stopped = gatehouse.stop();
    await waitFor("nobody is let in any more", async () => {
      const late = connectCheckClient(gatehouse.checkPort);
      const isRefused = await late.check({ namespace: "other" }).then(
        () => false,
        () => true,
      );
      late.stop();
      return isRefused;
    });
    for (const response of open) response.writeHead(200).end();
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    await stopped;
    expect(workerPids()).toEqual([]);
  });
});

describe("the process of gatehouse --workers 2", () => {
  it("drains on a signal to the whole process group: workers leave it to the primary", async () => {
    const { child, client, pids } = await startProcess("--drain-wait-ms", "1000");
    expect((await client.check()).status).toBe(200);
    process.kill(-(child.pid ?? 0), "SIGINT");
    expect((await client.check()).status).toBe(200);
    await once(child, "exit");
    expect(child.exitCode).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
  });

  it("takes its workers along when it is killed", async () => {
    const { child, client, pids } = await startProcess();
    expect((await client.check()).status).toBe(200);
    child.kill("SIGKILL");
    await waitFor("the workers are gone", () => pids.filter(isAlive).length === 0);
  });
});

describe("workers whose primary hangs", () => {
  it("end, because nobody brings them policy", async () => {
    const primary = fileURLToPath(new URL("../support/worker-primary.ts", import.meta.url));
    const child = spawn(process.execPath, ["--conditions=source", primary], {
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    running.push({ stop: () => endGroup(child) });
    await once(child.stdout, "data");
    const pids = workerPids(child.pid);
    expect(pids).toHaveLength(2);
    child.kill("SIGSTOP");
    await waitFor("the workers are gone", () => pids.filter(isAlive).length === 0);
  });
});

/** In a process group of its own, without policy. */
async function startProcess(
  ...more: readonly string[]
): Promise<{ readonly child: ChildProcess; readonly client: CheckClient; readonly pids: readonly number[] }> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-workers-"));
  running.push({ stop: () => rm(directory, { recursive: true, force: true }) });
  const ports = ["--check-port", "0", "--host", "127.0.0.1", "--admin-port", "0", "--no-key-cache"];
  const args = [PROGRAM, "standalone", "--resources", directory, "--workers", "2", ...ports, ...more];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"], detached: true });
  running.push({ stop: () => endGroup(child) });
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  const find = (message: string) => waitFor(message, () => lines.find(({ msg }) => msg === message));
  const { addresses } = await find("answering checks");
  await find("policy applied");
  const client = connectCheckClient(Number(String(addresses).split(":").at(-1)));
  running.push(client);
  return { child, client, pids: workerPids(child.pid) };
}

function endGroup({ pid = 0 }: ChildProcess): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}
