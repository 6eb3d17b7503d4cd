import { type EchoUpstreams, startEchoUpstreams } from "./echo-upstream.ts";
import { type EnvoyProcess, startEnvoy } from "./envoy.ts";
import { buildEnvoyBootstrap, type TestListener } from "./envoy-config.ts";
import { type GatehouseOptions, type RunningGatehouse, startGatehouse } from "./gatehouse.ts";

/** A Gatehouse that a real Envoy asks, and the upstreams to which that sends requests. */
export interface GatehouseBehindEnvoy {
  readonly gatehouse: RunningGatehouse;
  readonly envoy: EnvoyProcess;
  readonly upstreams: EchoUpstreams;
  stop(): Promise<void>;
}

/**
 * Starts all of it on ports of its own; resolves when the policies are enforced.
 * @param clusters names of the upstreams
 */
export async function startGatehouseBehindEnvoy(
  options: GatehouseOptions,
  clusters: readonly string[],
  listeners: readonly TestListener[],
): Promise<GatehouseBehindEnvoy> {
  const gatehouse = await startGatehouse(options);
  let upstreams: EchoUpstreams | undefined;
  let envoy: EnvoyProcess | undefined;
  const stop = async (): Promise<void> => {
    await envoy?.stop();
    await upstreams?.stop();
    await gatehouse.stop();
  };
  try {
    upstreams = await startEchoUpstreams(clusters);
    envoy = await startEnvoy(
      buildEnvoyBootstrap({ authzPort: gatehouse.checkPort, listeners, clusters: portsOf(upstreams) }),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return { gatehouse, envoy, upstreams, stop };
}

function portsOf(upstreams: EchoUpstreams): ReadonlyMap<string, number> {
  return new Map(upstreams.names.map((name) => [name, upstreams.port(name)]));
}
