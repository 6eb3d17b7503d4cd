import { readFile } from "node:fs/promises";
import type { Logger } from "pino";

/** Files and sockets besides the connections of clients: listeners, the policy stream, the admin port, providers, keys, policy on disk. */
const RESERVED = 256;

/**
 * How many connections of clients a process may have.
 * @param wanted those that fit into its limit of open files (`ulimit -n`), if that is fewer; then the log says so
 */
export async function fitMaxConnections(wanted: number, log: Logger): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => ""); // not Linux
  // No digits: unlimited.
  const openFiles = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const maxConnections = Math.floor(openFiles - Math.min(RESERVED, openFiles / 2));
  if (maxConnections >= wanted) return wanted;
  log.warn(
    { maxConnections, wanted, openFiles },
    "the limit of open files leaves room for fewer connections; raise it",
  );
  return maxConnections;
}
