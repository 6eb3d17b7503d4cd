import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A server under test, in a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  /** Processes that it has started. */
  readonly workerPids?: readonly number[];
  readonly port: number;
  stop(): Promise<void>;
}

/** Servers under test have this core for themselves, the load is made on the other. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** As the image starts Node (deploy/docker/Dockerfile). */
export const NODE_OPTIONS_OF_IMAGE: readonly string[] = ["--max-semi-space-size=4"];

/** Starts a script of this folder and waits for the port that it prints. @param core it is pinned to */
export async function startServerProcess(
  script: string,
  core: number,
  args: readonly string[] = [],
): Promise<ServerProcess> {
  const file = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(process.execPath, [...NODE_OPTIONS_OF_IMAGE, "--conditions=source", file, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = (): boolean => child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = once(child, "exit");
  const line = await Promise.race([once(createInterface(child.stdout), "line"), exited]);
  const port = Number(line[0]);
  const pid = child.pid;
  if (pid === undefined || child.exitCode !== null || !(port > 0)) throw new Error(`${script} did not start`);
  pin(pid, core);
  return {
    pid,
    port,
    stop: async () => {
      kill();
      await exited;
      process.off("exit", kill);
    },
  };
}

/** Binds all threads of a process to one core, with `taskset` of util-linux. Returns false where there is none. */
export function pin(pid: number, core: number): boolean {
  try {
    execFileSync("taskset", ["-a", "-c", "-p", String(core), String(pid)], { stdio: "ignore" });
    return true;
  } catch {
    return false; // reported once, in the table's caption
  }
}

/** CPU time that a process used so far, user and system, in microseconds. NaN where there is no /proc. */
export function cpuMicroseconds(pid: number): number {
  try {
    // Nanoseconds on a core, by thread; threads of servers under load do not end.
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
    );
    return threads.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1000;
  } catch {
    return ticks(pid);
  }
}

/** The same in steps of 10 ms, for kernels without schedstat. */
function ticks(pid: number): number {
  try {
    // Fields after the command, which may hold blanks and parentheses. The clock ticks 100 times a second on Linux.
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /s, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) * 10_000;
  } catch {
    return Number.NaN;
  }
}

/** Resident memory in MiB; NaN where there is no /proc. */
export function residentMiB(pid: number): number {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
  } catch {
    return Number.NaN;
  }
}
