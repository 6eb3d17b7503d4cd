import { keySetResourceName } from "@gatehouse/protos";
import type { Logger } from "pino";
import { type Certificates, openCertificates } from "./certificates/open-certificates.ts";
import {
  type ControllerConfig,
  type ControllerOptions,
  DEFAULT_CONTROLLER_CONFIG,
  type DirectoryOptions,
} from "./config.ts";
import { Fleet } from "./discovery/fleet.ts";
import { type DiscoveryTls, startDiscoveryServer } from "./discovery/server.ts";
import { Snapshot } from "./discovery/snapshot.ts";
import { WorkloadSet } from "./discovery/workload-set.ts";
import { SYSTEM_CLOCK } from "./jwks/clock.ts";
import type { KeySourceHealth } from "./jwks/refresher.ts";
import { openRemoteKeys } from "./jwks/remote-keys.ts";
import type { KubernetesApi } from "./kubernetes/api.ts";
import { openKubernetesApi } from "./kubernetes/open-api.ts";
import { runLoop } from "./loop.ts";
import { openMeshConfigFile } from "./mesh-config-file.ts";
import { PolicyLedger, type PolicySummary } from "./policy-ledger.ts";
import { checkReadiness, type ReadinessCheck } from "./readiness.ts";
import { ResourceStore } from "./resources/store.ts";
import { createDirectorySource, whyUnusable } from "./sources/directory.ts";
import { createKubernetesSource } from "./sources/kubernetes/kubernetes-source.ts";
import type { Source } from "./sources/source.ts";
import { storeSink } from "./sources/store-sink.ts";
import { StartError } from "./start-error.ts";
import type { ObjectObserver } from "./status/object-observer.ts";
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

const KEY_SET_PREFIX = keySetResourceName("");

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
 * @throws StartError when an option, the mesh configuration, the source or the address can't be used
 */
export async function startController(options: ControllerOptions): Promise<RunningController> {
  const config = { ...DEFAULT_CONTROLLER_CONFIG, ...options };
  const { log, nowMs } = config;
  const metrics = createMetrics(config.registry);

  // Settings of the mesh: a faulty file is refused now, and reported later.
  const mesh = await openMeshConfigFile(config.meshConfigFile, config.settings, log);
  const api = config.kubernetes === null ? null : await openKubernetesApi(config.kubernetes);
  const certificates = config.xdsTls === null ? null : await openCertificates(config.xdsTls, { api, log, nowMs });
  if (api?.isVerified === false) log.warn({ server: api.server }, "the API server's certificate is not checked");
  const status = createStatus(config, {
    api,
    metrics,
    log,
    hasChanges: () => store.hasChanges,
    members: () => fleet.members(),
    snapshot: () => snapshot,
    keys: () => keys.refresher,
  });
  const hasWorkloads = config.source.kind === "kubernetes" && config.source.workloadIdentities === true;
  const workloads = hasWorkloads ? new WorkloadSet(() => server.publish()) : null;
  const source =
    config.source.kind === "directory"
      ? await openDirectory(config.source, log, metrics)
      : openKubernetes({ api, metrics, log, observer: status, workloads });

  // State: objects, the resources made of them, verdicts, and the servers that hold them.
  const store = new ResourceStore([source.name]);
  const snapshot = new Snapshot();
  const ledger = new PolicyLedger();
  const fleet = new Fleet(() => status?.fleetChanged());
  const wakeUp = new WakeUp();
  const keys = await openRemoteKeys(
    { ...DEFAULT_CONTROLLER_CONFIG.keys, ...options.keys },
    {
      metrics,
      log,
      onChange: () => wakeUp.notify(),
      onAttempt: (keySet) => status?.keysChanged(keySet),
    },
  );
  const keySources = () => keys.refresher.health();
  const problems = () => store.problems().length + mesh.problems().length;
  metrics.observe({
    problems,
    objectCounts: () => ledger.counts(),
    connected: () => fleet.members().length,
    keySources,
    kinds: () => source.states?.() ?? [],
    certificates: () => certificates?.expiries() ?? [],
  });

  // The stream, before the policy: servers find somebody, and wait.
  let isPublished = false;
  const server = await startDiscoveryServer(
    config.xdsAddress,
    {
      published: () => (isPublished ? snapshot : null),
      ...(workloads === null ? {} : { workloads: () => workloads.published() }),
      fleet,
      metrics,
      log,
      onKeySetHint(names) {
        metrics.keyHints.inc(names.length);
        for (const name of names) keys.refresher.hint(name.slice(KEY_SET_PREFIX.length));
      },
    },
    toDiscoveryTls(config, certificates, metrics),
  );
  log.info({ address: server.address, source: source.name }, "serving policy over delta xDS");

  // The loop, its source and the mesh configuration, for as long as the process lives. If one of them fails, which is a bug,
  // nobody catches it and the process ends: better than to go on with policy that no longer follows its source.
  const ending = new AbortController();
  const { signal } = ending;
  const running = [
    runLoop(
      {
        store,
        wakeUp,
        takeMesh: () => mesh.take(),
        translate: createTranslateStored(mesh, log),
        tenancy: new Tenancy({
          hostOwnership: config.hostOwnership,
          limits: { namespaceBytes: config.maxNamespaceBytes, totalBytes: MAX_POLICY_BYTES },
          hash: sha256,
        }),
        keys: keys.refresher,
        snapshot,
        ledger,
        publish() {
          isPublished = true;
          server.publish();
        },
        holdOff: config.holdOff,
        metrics,
        log,
        nowMs,
        ...(status === null ? {} : { rounds: status }),
      },
      signal,
    ),
    mesh.watch(() => wakeUp.notify(), signal),
    source.start(storeSink(store, source.name, log), signal),
  ];

  status?.start();

  const setVersion = () => (isPublished ? snapshot.version : null);
  return {
    xdsAddress: server.address,
    readiness: () =>
      checkReadiness({
        certificates: certificates?.readiness() ?? null,
        source: source.name,
        sourceStates: source.states?.() ?? [],
        store,
        meshProblems: mesh.problems(),
        version: setVersion(),
        ledger,
        fleet,
        keySources: keySources(),
        status: status?.readiness() ?? null,
      }),
    setVersion,
    policies: () => ledger.summary(),
    keySources,
    async stop() {
      // First, while the API server is still asked: the lease goes to another replica.
      await status?.stop();
      ending.abort();
      await keys.stop();
      await Promise.all(running);
      await server.stop();
      await certificates?.stop();
      await api?.close();
    },
  };
}

function toDiscoveryTls(
  { xdsTls, nowMs }: Pick<ControllerConfig, "xdsTls" | "nowMs">,
  certificates: Certificates | null,
  metrics: ControllerMetrics,
): DiscoveryTls | null {
  if (xdsTls === null || certificates === null) return null;
  return {
    source: certificates.source,
    clientName: xdsTls.clientName,
    countRefusal: (reason) => metrics.refusedConnections.inc({ reason }),
    nowMs,
  };
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

function openKubernetes({ api, observer, ...parts }: KubernetesParts): Source {
  if (api === null) throw new StartError("BAD_OPTION", "source kubernetes: the option kubernetes is missing");
  return createKubernetesSource({ ...parts, api, ...(observer === null ? {} : { observer }) });
}

interface KubernetesParts {
  readonly api: KubernetesApi | null;
  readonly metrics: ControllerMetrics;
  readonly log: Logger;
  readonly observer: ObjectObserver | null;
  readonly workloads: WorkloadSet | null;
}

async function openDirectory(options: DirectoryOptions, log: Logger, metrics: ControllerMetrics): Promise<Source> {
  const { path, allowPartial } = options;
  const reason = allowPartial === true ? null : await whyUnusable(path);
  // What is wrong further down is reported by the source, and keeps it from being synced.
  if (reason?.startsWith(`${path.replace(/(?<=.)\/+$/, "")}: `)) {
    throw new StartError("BAD_SOURCE", `resources directory ${reason}`);
  }
  return createDirectorySource({ ...options, log, onMassRemoval: () => metrics.massRemovals.inc() });
}
