import { mintTestToken } from "../support/jwt.ts";
import { checkRequestEncoder, METADATA } from "./check-requests.ts";
import { runGrpcLoad } from "./grpc-load.ts";
import { type Effort, warmUp } from "./row.ts";
import type { Target } from "./sample.ts";
import type { ServerProcess } from "./server-process.ts";

/** Which port is asked, and what. */
export interface DirectLoad {
  readonly host?: string;
  readonly port: number;
  /** Whose CPU is counted; left out: nobody's. */
  readonly pid?: number;
  readonly workerPids?: readonly number[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly messages: readonly Uint8Array[];
  readonly isForeign?: boolean;
}

/** A server that is asked directly, by two connections with 50 calls each, as an Envoy with two workers would. */
export function directTarget({ pid, workerPids = [], isForeign = false, ...load }: DirectLoad): Target {
  return {
    pids: pid === undefined ? [] : [pid, ...workerPids],
    isForeign,
    load: (arrivals) => runGrpcLoad({ ...load, ...arrivals, ...CONNECTIONS, path: CHECK_PATH }),
  };
}

/**
 * Puts a server under load for a while that an Envoy will ask. By itself it gets hot within a second; through Envoy that would take a minute.
 * @param paths asked for in turn, with a token
 */
export async function warmUpServer(server: ServerProcess, paths: readonly string[], effort: Effort): Promise<void> {
  const encode = checkRequestEncoder();
  const token = await mintTestToken({ jti: "seen" });
  const messages = paths.map((path) => encode(token, path));
  await warmUp(directTarget({ ...server, metadata: METADATA, messages }), effort);
}

const CHECK_PATH = "/envoy.service.auth.v3.Authorization/Check";
const CONNECTIONS = { connections: 2, concurrency: 50 };
