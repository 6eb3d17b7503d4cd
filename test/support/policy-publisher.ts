import type { PolicyResource } from "@gatehouse/protos";
import { pino } from "pino";
import { Registry } from "prom-client";
import { encode } from "../../controller/src/discovery/encode-resource.ts";
import { Fleet } from "../../controller/src/discovery/fleet.ts";
import { type DiscoveryTls, startDiscoveryServer } from "../../controller/src/discovery/server.ts";
import { Snapshot } from "../../controller/src/discovery/snapshot.ts";
import { createMetrics } from "../../controller/src/telemetry/metrics.ts";

/** The sending half of a controller: resources as a test has them, over a real delta-xDS stream. */
export interface PolicyPublisher {
  readonly address: string;
  /** Adds or replaces what one object stands for; an empty list takes it away. */
  publish(change: ReadonlyMap<string, readonly PolicyResource[]>): void;
  /** Ids of the servers that are connected. */
  connected(): readonly string[];
  /** Of the published set. */
  version(): string;
  stop(): Promise<void>;
}

/** @param address `unix:/path` or `127.0.0.1:0` */
export async function startPolicyPublisher(address: string, tls: DiscoveryTls | null = null): Promise<PolicyPublisher> {
  const snapshot = new Snapshot();
  const fleet = new Fleet();
  let isPublished = false;
  const context = {
    published: () => (isPublished ? snapshot : null),
    fleet,
    metrics: createMetrics(new Registry()),
    log: pino({ level: "silent" }),
    onKeySetHint: () => undefined,
  };
  const server = await startDiscoveryServer(address, context, tls);
  return {
    address: server.address,
    publish(change) {
      snapshot.apply(new Map([...change].map(([object, resources]) => [object, resources.map((one) => encode(one))])));
      isPublished = true;
      server.publish();
    },
    connected: () => fleet.members().map(({ nodeId }) => nodeId),
    version: () => snapshot.version,
    stop: () => server.stop(),
  };
}
