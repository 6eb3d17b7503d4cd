import type { EnvoyProcess } from "../support/envoy.ts";
import { mintTestToken } from "../support/jwt.ts";
import { warmUpServer } from "./direct-target.ts";
import { envoyTarget, startBenchEnvoy } from "./envoy-target.ts";
import {
  startEnvoyWithExtAuthz,
  startEnvoyWithOwnFilters,
  startEnvoyWithOwnServicePolicies,
  startPlainEnvoy,
} from "./envoys.ts";
import { basicPolicies, servicePaths, servicePolicies } from "./policies.ts";
import { type Effort, loadRow, pacedRow, type Row, warmUp } from "./row.ts";
import type { Running } from "./running.ts";
import type { Target } from "./sample.ts";
import { SERVER_CORE, type ServerProcess, startServerProcess } from "./server-process.ts";
import { startAuthzProcess } from "./start-authz-process.ts";

/** How many policies Envoy's own filters and Gatehouse are compared by. */
export const LARGE_COUNTS = [1_000, 10_000] as const;

/** Requests a second at which latency is measured. */
export const RATES = [1_000, 5_000] as const;

/** The same requests through Envoys that decide by different means; Envoy answers by itself what may pass. */
export async function startEnvoyRows(
  effort: Effort,
  running: Running,
): Promise<{ readonly full: readonly Row[]; readonly paced: readonly Row[] }> {
  const constant = await running.add(startServerProcess("constant-server.ts", SERVER_CORE));
  const lean = await running.add(startAuthzProcess(basicPolicies()));
  const grpcJs = await running.add(startAuthzProcess(basicPolicies(), { transport: "grpc-js" }));
  for (const server of [constant, lean, grpcJs]) await warmUpServer(server, ["/headers"], effort);
  const token = await mintTestToken({ jti: "seen" });
  const target = async (starting: Promise<EnvoyProcess>, options: TargetOptions = {}): Promise<Target> => {
    const { server, paths = ["/headers"], withoutToken } = options;
    const envoy = await startBenchEnvoy(starting, running, withoutToken);
    const started = envoyTarget(
      { envoy, server },
      paths.map((path) => ({ path, token })),
    );
    await warmUp(started, effort);
    return started;
  };
  const asking = (server: ServerProcess, options: TargetOptions = {}): Promise<Target> =>
    target(startEnvoyWithExtAuthz(server.port), { ...options, server });
  const contestants = [
    { id: "plain", name: "Envoy that asks nobody", target: await target(startPlainEnvoy(), { withoutToken: 200 }) },
    { id: "own", name: "Envoy, its own jwt_authn + rbac", target: await target(startEnvoyWithOwnFilters()) },
    { id: "lean", name: "Envoy + Gatehouse", target: await asking(lean) },
    { id: "grpc-js", name: "Envoy + Gatehouse, `--transport grpc-js`", target: await asking(grpcJs) },
  ];
  const full = contestants.map(({ id, name, target: contestant }) =>
    loadRow(
      { id: `envoy-${id}`, name, ...(id === "own" ? {} : { beside: { id: "envoy-own", by: "cost" } }) },
      contestant,
      effort,
    ),
  );
  full.push(
    loadRow(
      { id: "envoy-constant", name: "Envoy + grpc-js, constant answer", beside: { id: "envoy-own", by: "cost" } },
      await asking(constant, { withoutToken: 200 }),
      effort,
    ),
  );
  for (const count of LARGE_COUNTS) {
    const server = await running.add(startAuthzProcess(servicePolicies(count)));
    const paths = servicePaths(count);
    await warmUpServer(server, paths, effort);
    const own = await target(startEnvoyWithOwnServicePolicies(count), { paths });
    const ours = await asking(server, { paths });
    const beside = { id: `envoy-own-${count}`, by: "cost" } as const;
    const rules = count.toLocaleString("en");
    full.push(
      loadRow({ id: beside.id, name: `Envoy, its own filters, ${rules} rules` }, own, effort),
      loadRow({ id: `envoy-lean-${count}`, name: `Envoy + Gatehouse, ${rules} policies`, beside }, ours, effort),
    );
  }
  const paced = RATES.flatMap((perSecond) =>
    contestants.map(({ id, name, target: contestant }) =>
      pacedRow(
        {
          id: `paced-${id}-${perSecond}`,
          name: `${name}, ${perSecond.toLocaleString("en")} requests/s`,
          ...(id === "plain" ? {} : { addedTo: `paced-plain-${perSecond}` }),
        },
        contestant,
        { perSecond, pacedMs: effort.pacedMs },
      ),
    ),
  );
  return { full, paced };
}

interface TargetOptions {
  /** The authorizer. */
  readonly server?: ServerProcess;
  /** Asked for in turn. */
  readonly paths?: readonly string[];
  /** What a request without a token is answered. */
  readonly withoutToken?: 200 | 403;
}
