import { runGrpcLoad } from "./grpc-load.ts";
import type { Target } from "./sample.ts";

/** Which port is asked, and what. */
export interface DirectLoad {
  readonly host?: string;
  readonly port: number;
  /** Whose CPU is counted; left out: nobody's. */
  readonly pid?: number;
  readonly metadata: Readonly<Record<string, string>>;
  readonly messages: readonly Uint8Array[];
  readonly isForeign?: boolean;
}

/** A server that is asked directly, by two connections with 50 calls each, as an Envoy with two workers would. */
export function directTarget({ pid, isForeign = false, ...load }: DirectLoad): Target {
  return {
    pids: pid === undefined ? [] : [pid],
    isForeign,
    load: (arrivals) => runGrpcLoad({ ...load, ...arrivals, ...CONNECTIONS, path: CHECK_PATH }),
  };
}

const CHECK_PATH = "/envoy.service.auth.v3.Authorization/Check";
const CONNECTIONS = { connections: 2, concurrency: 50 };
