import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitFor } from "../../test/support/wait-for.ts";
import type { DemoPorts } from "./ports.ts";
import { readableLine } from "./readable-log.ts";

/** `gatehouse standalone` as a process of its own. */
export interface GatehouseProcess {
  /** Resolves when the process is gone, for whatever reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts it and resolves when the policies of the directory are enforced.
 * @param print receives the lines of its log, made readable
 */
export async function startGatehouseProcess(
  ports: Pick<DemoPorts, "check" | "admin">,
  resources: string,
  print: (line: string) => void,
): Promise<GatehouseProcess> {
  const command = fileURLToPath(new URL("../../cli/bin/gatehouse.js", import.meta.url));
  const flags = [
    ...["--resources", resources, "--host", "127.0.0.1", "--check-port", String(ports.check)],
    ...["--admin-port", String(ports.admin), "--drain-wait-ms", "0"],
  ];
  // In a group of its own: Ctrl-C reaches the demo only, which then stops its parts in order.
  const child = spawn(process.execPath, [command, "standalone", ...flags], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  createInterface({ input: child.stdout }).on("line", (line) => print(readableLine(line)));
  createInterface({ input: child.stderr }).on("line", print);
  let isRunning = true;
  const exited = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", (error) => {
      print(error.message);
      resolve();
    });
  }).then(() => {
    isRunning = false;
  });
  const killNow = () => child.kill("SIGKILL");
  process.once("exit", killNow);
  const stop = async () => {
    child.kill("SIGTERM");
    const hardDeadline = setTimeout(killNow, 15_000);
    await exited;
    clearTimeout(hardDeadline);
    process.off("exit", killNow);
  };
  try {
    await waitFor("Gatehouse enforces the policies", async () => {
      if (!isRunning) throw new Error("Gatehouse ended while it started; its last lines say why");
      return isReady(ports.admin);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { exited, stop };
}

async function isReady(adminPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${adminPort}/readyz`)).ok;
  } catch {
    return false; // not listening yet: asked again until the deadline
  }
}
