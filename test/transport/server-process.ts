import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Transport } from "@gatehouse/authz-server";

/** `check-server.ts` in a process of its own. */
export interface CheckServerProcess {
  readonly port: number;
  /** Resident memory in bytes. */
  rss(): number;
  /** Bytes in use, after a collection of garbage. */
  inUse(): Promise<number>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts it. @param port 0: a free one @param connectionAgeMs 0: the default */
export async function startCheckServerProcess(
  port = 0,
  connectionAgeMs = 0,
  transport: Transport = "lean",
): Promise<CheckServerProcess> {
  const file = fileURLToPath(new URL("check-server.ts", import.meta.url));
  const args = ["--expose-gc", "--conditions=source", file, transport, String(port), String(connectionAgeMs)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(child, "exit");
  const lines = createInterface(child.stdout);
  const [line] = await once(lines, "line");
  return {
    port: Number(line),
    rss: () => Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) * 1024,
    async inUse() {
      const answered = once(lines, "line");
      child.kill("SIGUSR2");
      return Number((await answered)[0]);
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
