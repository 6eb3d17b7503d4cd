import { keySetResourceName } from "@gatehouse/protos";
import type { Logger } from "pino";
import type { Certificates } from "../certificates/open-certificates.ts";
import type { ControllerConfig, ControllerOptions } from "../config.ts";
import type { KeyRefresher } from "../jwks/refresher.ts";
import type { ControllerMetrics } from "../telemetry/metrics.ts";
import type { Fleet } from "./fleet.ts";
import { type DiscoveryServer, type DiscoveryTls, startDiscoveryServer } from "./server.ts";
import type { Snapshot } from "./snapshot.ts";
import type { WorkloadSet } from "./workload-set.ts";

/** What authz-servers are connected to. */
export interface PolicyStream extends Pick<DiscoveryServer, "address" | "stop"> {
  /** Offers the snapshot, from the first time on: it is complete. */
  publish(): void;
  /** Offers the workloads. */
  publishWorkloads(): void;
  /** Of the published set; null before the first. */
  version(): string | null;
}

/** What the stream offers, and whom it tells. */
export interface PolicyStreamParts {
  readonly config: Pick<ControllerConfig, "xdsTls" | "nowMs"> & Pick<ControllerOptions, "xdsAddress">;
  readonly snapshot: Snapshot;
  /** null: none are offered. */
  readonly workloads: WorkloadSet | null;
  readonly fleet: Fleet;
  /** Told of tokens with unknown keys. */
  readonly keys: Pick<KeyRefresher, "hint">;
  /** null: the stream is not encrypted. */
  readonly certificates: Certificates | null;
  readonly metrics: ControllerMetrics;
  readonly log: Logger;
}

const KEY_SET_PREFIX = keySetResourceName("");

/** Listens before there is any policy: servers find somebody, and wait. @throws StartError when the address can't be used */
export async function startPolicyStream(parts: PolicyStreamParts): Promise<PolicyStream> {
  const { config, snapshot, workloads, fleet, keys, metrics, log } = parts;
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
        for (const name of names) keys.hint(name.slice(KEY_SET_PREFIX.length));
      },
    },
    toDiscoveryTls(parts),
  );
  return {
    address: server.address,
    publish() {
      isPublished = true;
      server.publish();
    },
    publishWorkloads: () => server.publish(),
    version: () => (isPublished ? snapshot.version : null),
    stop: () => server.stop(),
  };
}

function toDiscoveryTls({ config, certificates, metrics }: PolicyStreamParts): DiscoveryTls | null {
  const { xdsTls, nowMs } = config;
  if (xdsTls === null || certificates === null) return null;
  return {
    source: certificates.source,
    clientName: xdsTls.clientName,
    countRefusal: (reason) => metrics.refusedConnections.inc({ reason }),
    nowMs,
  };
}
