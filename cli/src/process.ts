import { once } from "node:events";
import process from "node:process";
import type { Logger } from "pino";

/** Something that has been started and must be stopped. */
export interface Running {
  stop(): Promise<void>;
}

/**
 * Runs until SIGINT or SIGTERM, then stops. A second signal ends at once.
 * A promise that nobody caught ends the process with code 1: its state can't be trusted any more.
 * @returns the exit code
 */
export async function runUntilSignal(start: () => Promise<Running>, log: Logger): Promise<number> {
  process.on("unhandledRejection", (error) => die(error, log));
  process.on("uncaughtException", (error) => die(error, log));
  const asked = firstSignal();
  const running = await start();
  const signal = await asked;
  log.info({ signal }, "stopping");
  void firstSignal().then(() => process.exit(1)); // the person is in a hurry
  await running.stop();
  log.info("stopped");
  return 0;
}

function die(error: unknown, log: Logger): void {
  log.fatal({ err: error }, "unexpected failure");
  process.exit(1);
}

async function firstSignal(): Promise<string> {
  const ending = new AbortController();
  const { signal } = ending;
  const name = await Promise.race([
    once(process, "SIGINT", { signal }).then(() => "SIGINT"),
    once(process, "SIGTERM", { signal }).then(() => "SIGTERM"),
  ]);
  ending.abort();
  return name;
}
