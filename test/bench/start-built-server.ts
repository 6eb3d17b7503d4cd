import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { parseMeshConfig } from "@gatehouse/controller/translate";
import { type Policies, translatePolicies } from "../support/check-harness.ts";
import { startPolicyPublisher } from "../support/policy-publisher.ts";
import { waitFor } from "../support/wait-for.ts";
import { NODE_OPTIONS_OF_IMAGE, pin, SERVER_CORE, type ServerProcess } from "./server-process.ts";

/**
 * `gatehouse authz-server` as it was built by `tsc -b`, in one process: without the sources nothing that strips types is in its memory.
 * Resolves when it enforces the policies.
 */
export async function startBuiltServer(
  policies: Policies,
  nodeOptions: readonly string[] = NODE_OPTIONS_OF_IMAGE,
): Promise<ServerProcess> {
  const home = await mkdtemp(join(tmpdir(), "gatehouse-bench-"));
  const publisher = await startPolicyPublisher(`unix:${join(home, "xds.sock")}`);
  const resources = translatePolicies(policies).flatMap((translated) => translated.resources);
  publisher.publish(new Map([["all", [parseMeshConfig("").meshConfig, ...resources]]]));
  const main = JSON.stringify(new URL("../../cli/dist/main.js", import.meta.url).href);
  const program = `import(${main}).then(({ main }) => main(process.argv.slice(1)))`;
  const flags = ["--controller", publisher.address, "--data-dir", home, "--workers", "1", "--host", "127.0.0.1"];
  const ports = ["--check-port", "0", "--admin-port", "0"];
  const child = spawn(process.execPath, [...nodeOptions, "--eval", program, "authz-server", ...flags, ...ports], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    await publisher.stop();
    await rm(home, { recursive: true, force: true });
  };
  const log: string[] = [];
  createInterface(child.stdout).on("line", (line) => void log.push(line));
  const logged = (pattern: RegExp): string => log.map((line) => pattern.exec(line)?.[1]).find(Boolean) ?? "";
  try {
    await waitFor("both ports are open", () => logged(ADMIN) !== "" && logged(CHECK) !== "", 60_000);
    const ready = `${logged(ADMIN)}/readyz`;
    await waitFor("policy is enforced", async () => (await fetch(ready)).ok, 60_000);
  } catch (error) {
    await stop();
    throw new Error(`the built server does not start; was it built? ${log.join("\n")}`, { cause: error });
  }
  const { pid = Number.NaN } = child;
  pin(pid, SERVER_CORE);
  return { pid, port: Number(logged(CHECK)), stop };
}

const ADMIN = /"url":"(http:[^"]+)"/;
const CHECK = /"addresses":\["127\.0\.0\.1:(\d+)"/;
