import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { type Policies, translatePolicies } from "../support/check-harness.ts";
import { startPolicyPublisher } from "../support/policy-publisher.ts";
import { workerPids } from "../support/workers.ts";
import { pin, SERVER_CORE, type ServerProcess, startServerProcess } from "./server-process.ts";

/** What is unusual about it. */
export interface AuthzProcessOptions {
  readonly transport?: "lean" | "grpc-js";
  /** More than one: each is a process, on the same core. */
  readonly workers?: number;
}

/** An authz-server alone in its process, fed by a stream from here, as in production; resolves when it enforces the policies. */
export async function startAuthzProcess(
  policies: Policies,
  { transport = "lean", workers = 1 }: AuthzProcessOptions = {},
): Promise<ServerProcess> {
  const home = await mkdtemp(join(tmpdir(), "gatehouse-bench-"));
  const publisher = await startPolicyPublisher(`unix:${join(home, "xds.sock")}`);
  const end = async (): Promise<void> => {
    await publisher.stop();
    await rm(home, { recursive: true, force: true });
  };
  try {
    const resources = translatePolicies(policies).flatMap((translated) => translated.resources);
    publisher.publish(new Map([["all", [parseMeshConfig("").meshConfig, ...resources]]]));
    const server = await startServerProcess("authz-process.ts", SERVER_CORE, [
      publisher.address,
      transport,
      `${workers}`,
    ]);
    const pids = workerPids(server.pid);
    for (const pid of pids) pin(pid, SERVER_CORE);
    const stop = async (): Promise<void> => {
      await server.stop();
      await end();
    };
    return { ...server, workerPids: pids, stop };
  } catch (error) {
    await end();
    throw error;
  }
}
