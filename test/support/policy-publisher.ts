import type { PolicyResource } from "@gatehouse/protos";
import { pino } from "pino";
import { Registry } from "prom-client";
import { encode } from "../../controller/src/discovery/encode-resource.ts";
import { Fleet } from "../../controller/src/discovery/fleet.ts";
import { startDiscoveryServer } from "../../controller/src/discovery/server.ts";
import { Snapshot } from "../../controller/src/discovery/snapshot.ts";
import { createMetrics } from "../../controller/src/telemetry/metrics.ts";

/** The sending half of a controller: resources as a test has them, over a real delta-xDS stream. */
export interface PolicyPublisher {
  readonly address: string;
  /** Adds or replaces what one object stands for; an empty list takes it away. */
  publish(change: ReadonlyMap<string, readonly PolicyResource[]>): void;
  /** Of the published set. */
  version(): string;
  stop(): Promise<void>;
}

/** @param address `unix:/path` or `127.0.0.1:0` */
export async function startPolicyPublisher(address: string): Promise<PolicyPublisher> {
  const snapshot = new Snapshot();
  let isPublished = false;
  const server = await startDiscoveryServer(address, {
    published: () => (isPublished ? snapshot : null),
    fleet: new Fleet(),
    metrics: createMetrics(new Registry()),
    log: pino({ level: "silent" }),
    onKeySetHint: () => undefined,
  });
  return {
    address: server.address,
    publish(change) {
      snapshot.apply(new Map([...change].map(([object, resources]) => [object, resources.map((one) => encode(one))])));
      isPublished = true;
      server.publish();
    },
    version: () => snapshot.version,
    stop: () => server.stop(),
  };
}
