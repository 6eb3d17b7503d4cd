import type { EnvoyProcess } from "../support/envoy.ts";
import { HOST, requestHeaders } from "./check-requests.ts";
import { runHttpLoad } from "./http-load.ts";
import type { Running } from "./running.ts";
import type { Target } from "./sample.ts";
import { pin, SERVER_CORE, type ServerProcess } from "./server-process.ts";

/** An Envoy under test, and the authorizer that it asks. */
export interface BenchEnvoy {
  readonly envoy: EnvoyProcess;
  readonly server?: ServerProcess | undefined;
}

/** Sees to it that an Envoy is on its core and enforces. @throws when it answers otherwise than with this status to a request without token */
export async function startBenchEnvoy(
  starting: Promise<EnvoyProcess>,
  running: Running,
  withoutToken: 200 | 403 = 403,
): Promise<EnvoyProcess> {
  const envoy = await running.add(starting);
  pin(envoy.pid, SERVER_CORE);
  const { status } = await fetch(`http://127.0.0.1:${envoy.listenerPort("bench")}/headers`);
  if (status !== withoutToken) throw new Error(`an Envoy answered ${status} to a request without token`);
  return envoy;
}

/** An Envoy that is asked by 16 connections. @param requests in turn */
export function envoyTarget(
  { envoy, server }: BenchEnvoy,
  requests: readonly { readonly path: string; readonly token: string }[],
): Target {
  const port = envoy.listenerPort("bench");
  const gets = requests.map(({ path, token }) => ({ path, headers: { host: HOST, ...requestHeaders(token) } }));
  return {
    pids: [envoy.pid, ...(server === undefined ? [] : [server.pid])],
    load: (arrivals) => runHttpLoad({ port, requests: gets, connections: CONNECTIONS, ...arrivals }),
  };
}

const CONNECTIONS = 16;
