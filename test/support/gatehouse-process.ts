import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitFor } from "./wait-for.ts";

/** `gatehouse standalone` as users start it, without policy, in a process of its own that a test may starve. */
export interface GatehouseProcess {
  /** Port of ext_authz on 127.0.0.1. */
  readonly checkPort: number;
  /** `/readyz?verbose`. */
  readiness(): Promise<{ readonly isReady: boolean; readonly text: string }>;
  /** Value of one metric, by its name and labels as `/metrics` writes them; 0 if it is not there. */
  metric(name: string): Promise<number>;
  /** Whether it has not ended. */
  isAlive(): boolean;
  /** Kills it. */
  stop(): Promise<void>;
}

/**
 * Starts it on free ports; resolves when it is ready.
 * @param openFiles its limit (`ulimit -n`)
 * @param flags besides those that ports and folders need
 */
export async function startGatehouseProcess(
  openFiles: number,
  flags: readonly string[] = [],
): Promise<GatehouseProcess> {
  const directory = await mkdtemp(join(tmpdir(), "gatehouse-process-"));
  const ports = ["--host", "127.0.0.1", "--check-port", "0", "--admin-port", "0"];
  const args = [PROGRAM, "standalone", "--resources", directory, "--no-key-cache", ...ports, ...flags];
  const limited = ["-c", `ulimit -n ${openFiles}; exec "$@"`, "sh", process.execPath, ...args];
  const child = spawn("sh", limited, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines: Record<string, unknown>[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => lines.push(JSON.parse(line)));
  const logged = (message: string): Promise<Record<string, unknown>> =>
    waitFor(`it says "${message}"`, () => lines.find(({ msg }) => msg === message));
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const { addresses } = await logged("answering checks");
    const { url } = await logged("serving /healthz, /readyz and /metrics");
    const get = (path: string): Promise<Response> => fetch(`${url}${path}`);
    await waitFor("it is ready", async () => (await get("/readyz")).ok);
    return {
      checkPort: Number(String(addresses).split(":").at(-1)),
      async readiness() {
        const response = await get("/readyz?verbose");
        return { isReady: response.ok, text: await response.text() };
      },
      async metric(name) {
        const text = await (await get("/metrics")).text();
        const line = text.split("\n").find((candidate) => candidate.startsWith(`${name} `));
        return Number(line?.slice(name.length + 1) ?? 0);
      },
      isAlive: () => child.exitCode === null && child.signalCode === null,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const PROGRAM = fileURLToPath(new URL("../../cli/bin/gatehouse.js", import.meta.url));
