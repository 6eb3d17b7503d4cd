import { type Certificates, openCertificates } from "./certificates/open-certificates.ts";
import {
  type ControllerConfig,
  type ControllerOptions,
  DEFAULT_CONTROLLER_CONFIG,
  type SourceOptions,
} from "./config.ts";
import { Fleet } from "./discovery/fleet.ts";
import { type PolicyStream, startPolicyStream } from "./discovery/policy-stream.ts";
import { Snapshot } from "./discovery/snapshot.ts";
import { WorkloadSet } from "./discovery/workload-set.ts";
import { SYSTEM_CLOCK } from "./jwks/clock.ts";
import type { KeyRefresher, KeySourceHealth } from "./jwks/refresher.ts";
import { openRemoteKeys } from "./jwks/remote-keys.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import { openKubernetesApi } from "./kubernetes/open-api.ts";
import { runLoop } from "./loop.ts";
import { type MeshConfigFile, openMeshConfigFile } from "./mesh-config-file.ts";
import { PolicyLedger, type PolicySummary } from "./policy-ledger.ts";
import { checkReadiness, type ReadinessCheck } from "./readiness.ts";
import { ResourceStore } from "./resources/store.ts";
import { openSource } from "./sources/open-source.ts";
import type { Source } from "./sources/source.ts";
import { storeSink } from "./sources/store-sink.ts";
import { type StatusParts, StatusService } from "./status/status-service.ts";
import { type ControllerMetrics, createMetrics } from "./telemetry/metrics.ts";
import { MAX_POLICY_BYTES } from "./tenancy/namespace-quota.ts";
import { Tenancy } from "./tenancy/tenancy.ts";
import { createTranslateStored, sha256 } from "./translate-stored.ts";
import { WakeUp } from "./wake-up.ts";

export type { XdsTlsOptions } from "./certificates/open-certificates.ts";
export type { ControllerConfig, ControllerOptions, KubernetesOptions, SourceOptions } from "./config.ts";
export type { FleetMember } from "./discovery/fleet.ts";
export type { KeyFetchOptions, KeyOptions } from "./jwks/key-options.ts";
export type { KeySourceHealth } from "./jwks/refresher.ts";
export { type LoadedPolicy, type LoadOptions, type LoadProblem, loadDirectory } from "./load-directory.ts";
export type { MeshSettings } from "./mesh-config.ts";
export type { PolicySummary } from "./policy-ledger.ts";
export type { ReadinessCheck } from "./readiness.ts";
export { StartError } from "./start-error.ts";
export type { HoldOff } from "./wake-up.ts";

/** A controller that serves policy. */
export interface RunningController {
  /** Where authz-servers connect; a port of 0 is resolved. */
  readonly xdsAddress: string;
  readiness(): readonly ReadinessCheck[];
  /** Version of the published set; null before the first. */
  setVersion(): string | null;
  policies(): PolicySummary;
  /** How each source of fetched keys stands. */
  keySources(): readonly KeySourceHealth[];
  /** Ends the streams, the watching and the loop; resolves when all is closed. */
  stop(): Promise<void>;
}

/**
 * Starts a controller: objects from the source, translated, served over delta xDS. It runs before the source has delivered all;
 * servers that connect meanwhile wait.
 * @throws StartError when an option, the mesh configuration, the source or the address can't be used; nothing stays open then
 */
export async function startController(options: ControllerOptions): Promise<RunningController> {
  const opened: Close[] = [];
  try {
    return await startParts(options, opened);
  } catch (error) {
    for (const close of opened.toReversed()) await close();
    throw error;
  }
}

type Close = () => Promise<void>;

/** @param opened takes what has to be closed when a later part can't be started */
async function startParts(options: ControllerOptions, opened: Close[]): Promise<RunningController> {
  const config = {
    ...DEFAULT_CONTROLLER_CONFIG,
    ...options,
    keys: { ...DEFAULT_CONTROLLER_CONFIG.keys, ...options.keys },
  };
  const { log, nowMs } = config;
  const metrics = createMetrics(config.registry);

  // Settings of the mesh: a faulty file is refused now, and reported later.
  const mesh = await openMeshConfigFile(config.meshConfigFile, config.settings, log);
  const api = config.kubernetes === null ? null : await openKubernetesApi(config.kubernetes);
  if (api !== null) opened.push(() => api.close());
  if (api?.isVerified === false) log.warn({ server: api.server }, "the API server's certificate is not checked");
  const certificates = config.xdsTls === null ? null : await openCertificates(config.xdsTls, { api, log, nowMs });
  if (certificates !== null) opened.push(() => certificates.stop());

  // State: objects, the resources made of them, verdicts, and the servers that hold them.
  const snapshot = new Snapshot();
  const ledger = new PolicyLedger();
  const fleet = new Fleet(() => status?.fleetChanged());
  const status = createStatus(config, {
    api,
    metrics,
    log,
    hasChanges: () => store.hasChanges,
    members: () => fleet.members(),
    snapshot: () => snapshot,
    keys: () => keys.refresher,
  });
  const workloads = hasWorkloads(config.source) ? new WorkloadSet(() => stream.publishWorkloads()) : null;
  const source = await openSource(config.source, { api, metrics, log, observer: status, workloads });
  const store = new ResourceStore([source.name]);
  const wakeUp = new WakeUp();
  const keys = await openRemoteKeys(config.keys, {
    metrics,
    log,
    onChange: () => wakeUp.notify(),
    onAttempt: (keySet) => status?.keysChanged(keySet),
  });

  // The stream, before the policy: servers find somebody, and wait.
  const state = { mesh, source, store, snapshot, ledger, fleet, keys: keys.refresher, certificates, status, wakeUp };
  const stream = await startPolicyStream({ ...state, config, workloads, metrics, log });
  log.info({ address: stream.address, source: source.name }, "serving policy over delta xDS");

  observe(metrics, state);
  const ending = new AbortController();
  const running = follow({ ...state, config, stream, metrics }, ending.signal);
  status?.start();

  return {
    xdsAddress: stream.address,
    readiness: () => readinessOf(state, stream.version()),
    setVersion: () => stream.version(),
    policies: () => ledger.summary(),
    keySources: () => keys.refresher.health(),
    async stop() {
      // First, while the API server is still asked: the lease goes to another replica.
      await status?.stop();
      ending.abort();
      await keys.stop();
      await running;
      await stream.stop();
      await certificates?.stop();
      await api?.close();
    },
  };
}

/** What a controller consists of, beside its ports. */
interface ControllerState {
  readonly mesh: MeshConfigFile;
  readonly source: Source;
  readonly store: ResourceStore;
  readonly snapshot: Snapshot;
  readonly ledger: PolicyLedger;
  readonly fleet: Fleet;
  readonly keys: KeyRefresher;
  readonly certificates: Certificates | null;
  readonly status: StatusService | null;
  readonly wakeUp: WakeUp;
}

interface FollowedParts extends ControllerState {
  readonly config: ControllerConfig & Pick<ControllerOptions, "log">;
  readonly stream: PolicyStream;
  readonly metrics: ControllerMetrics;
}

/**
 * The loop, its source and the mesh configuration, for as long as the process lives. If one of them fails, which is a bug,
 * nobody catches it and the process ends: better than to go on with policy that no longer follows its source.
 */
async function follow(parts: FollowedParts, signal: AbortSignal): Promise<void> {
  const { config, mesh, source, store, status, stream, wakeUp } = parts;
  const { log, hostOwnership, maxNamespaceBytes } = config;
  const limits = { namespaceBytes: maxNamespaceBytes, totalBytes: MAX_POLICY_BYTES };
  await Promise.all([
    runLoop(
      {
        ...parts,
        ...config,
        keys: parts.keys,
        takeMesh: () => mesh.take(),
        translate: createTranslateStored(mesh, log),
        tenancy: new Tenancy({ hostOwnership, limits, hash: sha256 }),
        publish: () => stream.publish(),
        ...(status === null ? {} : { rounds: status }),
      },
      signal,
    ),
    mesh.watch(() => wakeUp.notify(), signal),
    source.start(storeSink(store, source.name, log), signal),
  ]);
}

function observe(metrics: ControllerMetrics, state: ControllerState): void {
  const { store, mesh, ledger, fleet, keys, source, certificates } = state;
  metrics.observe({
    problems: () => store.problems().length + mesh.problems().length,
    objectCounts: () => ledger.counts(),
    connected: () => fleet.members().length,
    keySources: () => keys.health(),
    kinds: () => source.states?.() ?? [],
    certificates: () => certificates?.expiries() ?? [],
  });
}

function readinessOf(state: ControllerState, version: string | null): readonly ReadinessCheck[] {
  const { certificates, source, store, mesh, ledger, fleet, keys, status } = state;
  return checkReadiness({
    certificates: certificates?.readiness() ?? null,
    source: source.name,
    sourceStates: source.states?.() ?? [],
    store,
    meshProblems: mesh.problems(),
    version,
    ledger,
    fleet,
    keySources: keys.health(),
    status: status?.readiness() ?? null,
  });
}

function hasWorkloads(source: SourceOptions): boolean {
  return source.kind === "kubernetes" && source.workloadIdentities === true;
}

/** @returns null when this controller writes no status */
function createStatus(
  { source, kubernetes }: Pick<ControllerOptions, "source" | "kubernetes">,
  {
    api,
    metrics,
    ...parts
  }: Pick<StatusParts, "hasChanges" | "members" | "snapshot" | "keys" | "log"> & {
    readonly api: KubernetesApi | null;
    readonly metrics: ControllerMetrics;
  },
): StatusService | null {
  if (source.kind !== "kubernetes" || source.status == null || kubernetes == null || api === null) return null;
  const { leaseName } = source.status;
  const machine = { clock: SYSTEM_CLOCK, random: Math.random };
  return new StatusService({ ...parts, ...machine, api, kubernetes, leaseName, metrics: metrics.status });
}
