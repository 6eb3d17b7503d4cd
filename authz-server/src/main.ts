import { openCertificates } from "./certificates.ts";
import type { Checks, ReadinessCheck } from "./checks.ts";
import { type AuthzServerConfig, type AuthzServerOptions, DEFAULT_AUTHZ_SERVER_CONFIG } from "./config.ts";
import { KeyHints } from "./discovery/key-hints.ts";
import { PolicyFeed } from "./discovery/policy-feed.ts";
import type { WorkloadTaker } from "./discovery/workload-applier.ts";
import type { CheckTls } from "./server/check-tls.ts";
import { LocalChecks } from "./server/local-checks.ts";
import { fitMaxConnections } from "./server/max-connections.ts";
import { type AuthzMetrics, createAuthzMetrics } from "./telemetry/metrics.ts";
import { createWorkerMetrics } from "./telemetry/worker-metrics.ts";
import { WorkerChecks } from "./workers/worker-checks.ts";
import { WorkloadDirectory } from "./workload-directory.ts";

export type { ReadinessCheck } from "./checks.ts";
export type { AuthzServerConfig, AuthzServerOptions, WorkersConfig, XdsTlsOptions } from "./config.ts";
export type { Transport } from "./server/check-front.ts";
export { type CheckLimits, DEFAULT_CHECK_LIMITS } from "./server/check-limits.ts";
export { ListenError } from "./server/listen.ts";
export { type ListenerConfig, type ListenerIdentity, parseListener } from "./server/listener-identity.ts";

/** A server that answers checks. */
export interface RunningAuthzServer {
  /** In the order of `listeners`, with the ports really bound. */
  readonly checkAddresses: readonly string[];
  readiness(): readonly ReadinessCheck[];
  /** Version of the policy set that is enforced; null before the first. */
  setVersion(): string | null;
  /** The registry in Prometheus's text format, with what the workers have counted. */
  metrics(): Promise<string>;
  /** Drains and ends everything; resolves when all is closed. */
  stop(): Promise<void>;
}

/**
 * Starts a server: last-good policy from disk if there is, gRPC front, stream to the controller.
 * Before any policy it runs, is not ready, and answers UNAVAILABLE.
 * @throws {ListenError} when an address can't be bound
 */
export async function startAuthzServer(options: AuthzServerOptions): Promise<RunningAuthzServer> {
  const config = { ...DEFAULT_AUTHZ_SERVER_CONFIG, ...options };
  const { log } = config;
  const metrics = createAuthzMetrics(config.registry, config.nowMs);
  const certificates = await openCertificates(config);
  const keyHints = new KeyHints(config.steadyMs);
  const { checks, workloads } = createChecks({
    config,
    maxConnections: await fitMaxConnections(config.maxConnections, log),
    metrics,
    tls: certificates.checkTls,
    onUnknownKey: (keySet) => keyHints.report(keySet),
  });
  const tls = certificates.controllerTls;
  const feed = new PolicyFeed({ ...config, enforcer: checks, tls, keyHints, workloads, metrics });

  // Checks are answered, by what the disk has, before the controller is asked.
  await feed.restore();
  const addresses = await checks
    .start(() => feed.snapshot())
    .catch((error: unknown) => {
      certificates.stop();
      throw error;
    });
  log.info({ addresses }, "answering checks");
  feed.start();

  return {
    checkAddresses: addresses,
    readiness: () => [...feed.readiness(), ...checks.readiness(), ...certificates.readiness()],
    setVersion: () => feed.setVersion,
    metrics: () => checks.metrics(),
    async stop() {
      // Changes are taken until the last answer is out: a revoked right stays revoked while draining.
      await checks.stop();
      await feed.stop();
      certificates.stop();
    },
  };
}

interface ChecksParts {
  readonly config: AuthzServerConfig & Pick<AuthzServerOptions, "log" | "auditLog" | "registry">;
  readonly maxConnections: number;
  readonly metrics: AuthzMetrics;
  readonly tls: CheckTls | null;
  readonly onUnknownKey: (keySet: string) => void;
}

/** Who answers checks, and who among them wants to hear of pods and their addresses. */
function createChecks({ config, maxConnections, metrics, tls, onUnknownKey }: ChecksParts): {
  readonly checks: Checks;
  readonly workloads: WorkloadTaker | null;
} {
  const { workers, registry, workloadIdentities } = config;
  const workerMetrics = createWorkerMetrics(registry);
  if (workers === null) {
    const workloads = workloadIdentities ? new WorkloadDirectory() : null;
    const checks = new LocalChecks({ ...config, maxConnections, metrics, tls, onUnknownKey, workloads });
    return { checks, workloads };
  }
  const onRefused = (): void => metrics.connectionCut("no_room");
  const checks = new WorkerChecks({
    ...config,
    workers,
    maxConnections,
    onRefused,
    metrics: workerMetrics,
    onUnknownKey,
  });
  return { checks, workloads: workloadIdentities ? checks : null };
}
