import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { type Policies, translatePolicies } from "../support/check-harness.ts";
import { startPolicyPublisher } from "../support/policy-publisher.ts";
import { SERVER_CORE, type ServerProcess, startServerProcess } from "./server-process.ts";

/** An authz-server alone in its process, fed by a stream from here, as in production; resolves when it enforces the policies. */
export async function startAuthzProcess(
  policies: Policies,
  transport: "lean" | "grpc-js" = "lean",
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
    const server = await startServerProcess("authz-process.ts", SERVER_CORE, [publisher.address, transport]);
    const stop = async (): Promise<void> => {
      await server.stop();
      await end();
    };
    return { ...server, stop };
  } catch (error) {
    await end();
    throw error;
  }
}
