import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { waitFor } from "./wait-for.ts";

/** `gatehouse` as a user starts it, in a process of its own. */
export interface CliProcess {
  /** Where its admin port is: `http://127.0.0.1:1234` */
  readonly admin: string;
  /** Its log so far. */
  readonly log: readonly LogLine[];
  /** Waits for a line. @param fields that it has too */
  logged(message: string, fields?: LogLine): Promise<LogLine>;
  stop(): Promise<void>;
}

/** One line of the log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** How long is waited for what processes do: they share a busy machine, and look at files every two seconds. */
export const PATIENCE_MS = 60_000;

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

const PROGRAM = fileURLToPath(new URL("../../cli/bin/gatehouse.js", import.meta.url));

/** Starts a command with a free admin port; resolves when that answers. @param args command and flags */
export async function startCli(...args: readonly string[]): Promise<CliProcess> {
  const child = spawn(process.execPath, [PROGRAM, ...args, "--admin-port", "0"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  running.add(child);
  const log: LogLine[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => log.push(JSON.parse(line)));
  const find = (message: string, fields: LogLine) => {
    if (child.exitCode !== null) throw new Error(`${args[0]} ended with ${child.exitCode}`);
    const isFit = (line: LogLine) => Object.entries(fields).every(([key, value]) => line[key] === value);
    return log.find((line) => line["msg"] === message && isFit(line));
  };
  const logged = (message: string, fields: LogLine = {}) =>
    waitFor(`${args[0]} logs: ${message}`, () => find(message, fields), PATIENCE_MS);
  const stop = async (): Promise<void> => {
    child.kill("SIGKILL");
    await exited;
    running.delete(child);
  };
  try {
    const { url } = await logged("serving /healthz, /readyz and /metrics");
    return { admin: String(url), log, logged, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
