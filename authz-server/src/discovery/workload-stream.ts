import { WORKLOAD_TYPE_URL } from "@gatehouse/protos/wire";
import { type DiscoveryClientOptions, runDiscoveryClient } from "./client.ts";
import { WorkloadApplier, type WorkloadTaker } from "./workload-applier.ts";

/** What the two streams of a server share. */
export type SharedOptions = Pick<
  DiscoveryClientOptions,
  "address" | "tls" | "nodeId" | "metrics" | "log" | "backOff" | "random"
>;

/**
 * Keeps a directory of workloads in step with the controller, over a stream of its own: a controller that has none ends that stream only,
 * and pods that come and go don't wait for policy.
 * @returns resolves when the signal has ended it; never rejects
 */
export async function runWorkloadStream(
  shared: SharedOptions,
  directory: WorkloadTaker,
  signal: AbortSignal,
): Promise<void> {
  // The gauge of the policy stream is not for this one; refusals are counted alike.
  const metrics = { ...shared.metrics, streamConnected: () => undefined };
  const log = shared.log.child({ stream: "workloads" });
  const applier = new WorkloadApplier(directory);
  await runDiscoveryClient(
    { ...shared, metrics, log, applier, typeUrl: WORKLOAD_TYPE_URL, onConnected: () => undefined },
    signal,
  );
}
