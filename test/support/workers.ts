import { execFileSync } from "node:child_process";
import process from "node:process";
import type { WorkersConfig } from "@gatehouse/authz-server";

/** Worker processes for an authz-server of this process; none for 1. They log nothing; one that hangs is killed after 2 s. */
export function testWorkers(count: number): WorkersConfig | null {
  if (count === 1) return null;
  const entry = new URL("check-worker.ts", import.meta.url);
  return { count, entry, args: [], execArgv: [], hungAfterMs: 2000 };
}

/** The ids of the workers that a process has now. @param primary default: this process */
export function workerPids(primary: number = process.pid): readonly number[] {
  return processes().flatMap(({ pid, parent, args }) =>
    parent === primary && args.includes("check-worker") ? [pid] : [],
  );
}

/** Whether there is such a process, and not only a record of its end. */
export function isAlive(pid: number): boolean {
  return processes().some((one) => one.pid === pid);
}

function processes(): readonly { readonly pid: number; readonly parent: number; readonly args: string }[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => {
    const [, pid, parent, state, args = ""] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
    return state === undefined || state.startsWith("Z") ? [] : [{ pid: Number(pid), parent: Number(parent), args }];
  });
}
