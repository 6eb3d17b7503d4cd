import { type AuthzServerOptions, DEFAULT_AUTHZ_SERVER_CONFIG } from "./config.ts";
import { Providers } from "./custom/providers.ts";
import { PolicyApplier } from "./discovery/apply.ts";
import { runDiscoveryClient } from "./discovery/client.ts";
import { KeyHints } from "./discovery/key-hints.ts";
import { LastGoodFile } from "./discovery/last-good.ts";
import { createCheckHandler } from "./server/check-service.ts";
import { startCheckServer } from "./server/grpc-server.ts";
import { ServingStatus } from "./server/serving-status.ts";
import { PolicyState } from "./state.ts";
import { createAuthzMetrics } from "./telemetry/metrics.ts";

export type { AuthzServerConfig, AuthzServerOptions } from "./config.ts";
export { type CheckLimits, DEFAULT_CHECK_LIMITS } from "./server/check-limits.ts";
export { ListenError } from "./server/listen.ts";
export { type ListenerConfig, type ListenerIdentity, parseListener } from "./server/listener-identity.ts";

/** One condition of being ready, for `/readyz`. */
export interface ReadinessCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly message: string;
}

/** A server that answers checks. */
export interface RunningAuthzServer {
  /** In the order of `listeners`, with the ports really bound. */
  readonly checkAddresses: readonly string[];
  readiness(): readonly ReadinessCheck[];
  /** Version of the policy set that is enforced; null before the first. */
  setVersion(): string | null;
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
  const { log, auditLog, nowMs, random, controller } = config;
  const metrics = createAuthzMetrics(config.registry, nowMs);
  const state = new PolicyState();
  const status = new ServingStatus();
  const keyHints = new KeyHints(() => performance.now());
  const providers = new Providers({ metrics, log });

  // Policy: every accepted change is enforced, then saved.
  const lastGood =
    config.dataDirectory === null
      ? null
      : new LastGoodFile({ directory: config.dataDirectory, minIntervalMs: config.lastGoodIntervalMs, metrics, log });
  const applier = new PolicyApplier({
    state,
    metrics,
    log,
    nowMs,
    onApplied({ isFromDisk, isChanged }) {
      providers.update(state.current?.set.providers ?? new Map());
      if (applier.hasMeshConfig) status.ready();
      if (isChanged && !isFromDisk) lastGood?.changed(() => applier.snapshot());
    },
  });
  const saved = (await lastGood?.load()) ?? null;
  if (saved !== null) await applier.restore(saved);

  // Checks.
  const { ask: askProvider } = providers;
  const onUnknownKey = (keySet: string): void => keyHints.report(keySet);
  const handler = createCheckHandler({ state, metrics, log, auditLog, askProvider, onUnknownKey, nowMs, random });
  const { listeners, limits, drain } = config;
  const server = await startCheckServer({ listeners, handler, status, limits, drain, metrics, log });
  log.info({ addresses: server.addresses }, "answering checks");

  // The stream, for as long as the process lives.
  const ending = new AbortController();
  let isConnected = false;
  const stream = runDiscoveryClient(
    {
      address: controller,
      nodeId: config.nodeId,
      applier,
      keyHints,
      metrics,
      log,
      backOff: config.backOff,
      random: config.random,
      onConnected(connected) {
        isConnected = connected;
      },
    },
    ending.signal,
  );

  return {
    checkAddresses: server.addresses,
    readiness: () => [
      policyCheck(applier, controller),
      streamCheck(isConnected, controller),
      serverCheck(status.isDraining, server.addresses),
    ],
    setVersion: () => (state.current === null ? null : applier.setVersion),
    async stop() {
      // Changes are taken until the last answer is out: a revoked right stays revoked while draining.
      await server.stop();
      ending.abort();
      await stream;
      await lastGood?.flush();
      providers.stop();
    },
  };
}

function policyCheck(applier: PolicyApplier, controller: string): ReadinessCheck {
  const version = applier.setVersion;
  if (version === null) return { name: "policy", ok: false, message: `none received yet from ${controller}` };
  if (!applier.hasMeshConfig) return { name: "policy", ok: false, message: "received without MeshConfig" };
  return { name: "policy", ok: true, message: `enforcing version ${version}` };
}

/** Losing the controller does not make a server unready: it goes on enforcing what it has. */
function streamCheck(isConnected: boolean, controller: string): ReadinessCheck {
  const message = isConnected ? `connected to ${controller}` : `not connected to ${controller}; policy may be stale`;
  return { name: "stream", ok: true, message };
}

function serverCheck(isDraining: boolean, addresses: readonly string[]): ReadinessCheck {
  if (isDraining) return { name: "checks", ok: false, message: "draining" };
  return { name: "checks", ok: true, message: `answered on ${addresses.join(", ")}` };
}
