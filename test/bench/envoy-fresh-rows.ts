import { warmUpServer } from "./direct-target.ts";
import { envoyTarget, startBenchEnvoy } from "./envoy-target.ts";
import { startEnvoyWithExtAuthz, startEnvoyWithOwnFilters } from "./envoys.ts";
import { freshRow } from "./fresh-rows.ts";
import { FRESH_ALGORITHMS, signTokens } from "./fresh-tokens.ts";
import { basicPolicies } from "./policies.ts";
import { type Effort, loadRow, type Row } from "./row.ts";
import type { Running } from "./running.ts";
import { startAuthzProcess } from "./start-authz-process.ts";

/** Tokens that nobody saw before, through Envoys. Envoy's own filter remembers no token, so that to it all are alike. */
export async function startEnvoyFreshRows(effort: Effort, running: Running): Promise<readonly Row[]> {
  const server = await running.add(startAuthzProcess(basicPolicies()));
  await warmUpServer(server, ["/headers"], effort);
  const ours = { envoy: await startBenchEnvoy(startEnvoyWithExtAuthz(server.port), running), server };
  const own = { envoy: await startBenchEnvoy(startEnvoyWithOwnFilters(), running) };
  const toRequests = (tokens: readonly string[]) => tokens.map((token) => ({ path: "/headers", token }));
  return FRESH_ALGORITHMS.flatMap((alg) => {
    const beside = { id: `envoy-own-${alg}`, by: "cost" } as const;
    const title = { id: beside.id, name: `Envoy, its own jwt_authn + rbac (${alg})` };
    const name = `Envoy + Gatehouse, fresh tokens (${alg})`;
    return [
      loadRow(title, envoyTarget(own, toRequests(signTokens(alg, 1))), effort),
      freshRow({ id: `envoy-fresh-${alg}`, name, beside }, alg, effort, (tokens) =>
        envoyTarget(ours, toRequests(tokens)),
      ),
    ];
  });
}
