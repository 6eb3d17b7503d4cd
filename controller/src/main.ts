import { keySetResourceName } from "@gatehouse/protos";
import type { Logger } from "pino";
import { type ControllerOptions, DEFAULT_CONTROLLER_CONFIG, type SourceOptions } from "./config.ts";
import { Fleet } from "./discovery/fleet.ts";
import { startDiscoveryServer } from "./discovery/server.ts";
import { Snapshot } from "./discovery/snapshot.ts";
import type { KeySourceHealth } from "./jwks/refresher.ts";
import { openRemoteKeys } from "./jwks/remote-keys.ts";
import { runLoop } from "./loop.ts";
import { openMeshConfigFile } from "./mesh-config-file.ts";
import { PolicyLedger, type PolicySummary } from "./policy-ledger.ts";
import { checkReadiness, type ReadinessCheck } from "./readiness.ts";
import { ResourceStore } from "./resources/store.ts";
import { createDirectorySource, whyUnusable } from "./sources/directory.ts";
import type { Source } from "./sources/source.ts";
import { storeSink } from "./sources/store-sink.ts";
import { StartError } from "./start-error.ts";
import { type ControllerMetrics, createMetrics } from "./telemetry/metrics.ts";
import { createTranslateStored } from "./translate-stored.ts";
import { WakeUp } from "./wake-up.ts";

export type { ControllerConfig, ControllerOptions, SourceOptions } from "./config.ts";
export type { FleetMember } from "./discovery/fleet.ts";
export type { KeyOptions } from "./jwks/key-options.ts";
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
  const source = await openSource(config.source, log, metrics);

  // State: objects, the resources made of them, verdicts, and the servers that hold them.
  const store = new ResourceStore([source.name]);
  const snapshot = new Snapshot();
  const ledger = new PolicyLedger();
  const fleet = new Fleet();
  const wakeUp = new WakeUp();
  const keys = await openRemoteKeys(
    { ...DEFAULT_CONTROLLER_CONFIG.keys, ...options.keys },
    { metrics, log, onChange: () => wakeUp.notify() },
  );
  const keySources = () => keys.refresher.health();
  const problems = () => store.problems().length + mesh.problems().length;
  metrics.observe({
    problems,
    objectCounts: () => ledger.counts(),
    connected: () => fleet.members().length,
    keySources,
  });

  // The stream, before the policy: servers find somebody, and wait.
  let isPublished = false;
  const server = await startDiscoveryServer(config.xdsAddress, {
    published: () => (isPublished ? snapshot : null),
    fleet,
    metrics,
    log,
    onKeySetHint(names) {
      metrics.keyHints.inc(names.length);
      for (const name of names) keys.refresher.hint(name.slice(KEY_SET_PREFIX.length));
    },
  });
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
      },
      signal,
    ),
    mesh.watch(() => wakeUp.notify(), signal),
    source.start(storeSink(store, source.name, log), signal),
  ];

  const setVersion = () => (isPublished ? snapshot.version : null);
  return {
    xdsAddress: server.address,
    readiness: () =>
      checkReadiness({
        source: source.name,
        store,
        meshProblems: mesh.problems(),
        version: setVersion(),
        ledger,
        fleet,
        keySources: keySources(),
      }),
    setVersion,
    policies: () => ledger.summary(),
    keySources,
    async stop() {
      ending.abort();
      await keys.stop();
      await Promise.all(running);
      await server.stop();
    },
  };
}

async function openSource(options: SourceOptions, log: Logger, metrics: ControllerMetrics): Promise<Source> {
  const { path, allowPartial } = options;
  const reason = allowPartial === true ? null : await whyUnusable(path);
  // What is wrong further down is reported by the source, and keeps it from being synced.
  if (reason?.startsWith(`${path.replace(/(?<=.)\/+$/, "")}: `)) {
    throw new StartError("BAD_SOURCE", `resources directory ${reason}`);
  }
  return createDirectorySource({ ...options, log, onMassRemoval: () => metrics.massRemovals.inc() });
}
