import { type Workload, workloadResourceName } from "@gatehouse/protos";
import { encodeWorkload, ResourceEncodeError, resourceVersion } from "@gatehouse/protos/wire";
import type { NamedResource } from "../../discovery/encode-resource.ts";
import type { WorkloadSet } from "../../discovery/workload-set.ts";
import { fieldOf } from "../../kubernetes/field-of.ts";
import type { Target } from "./reflector.ts";
import type { ResourceType } from "./resource-type.ts";

export const PODS: ResourceType = { kind: "Pod", group: "", versions: ["v1"], plural: "pods" };

/** Takes Pods as workloads, encoded: nothing else of them is kept. */
export function createWorkloadTarget(
  workloads: Pick<WorkloadSet, "apply" | "markWhole">,
): Target<readonly NamedResource[]> {
  return {
    identify(raw) {
      const metadata = fieldOf(raw, "metadata");
      const [namespace, name, version] = ["namespace", "name", "resourceVersion"].map((field) =>
        fieldOf(metadata, field),
      );
      if (typeof namespace !== "string" || typeof name !== "string" || typeof version !== "string") return null;
      return { key: `${namespace}/${name}`, resourceVersion: version };
    },
    read(raw) {
      const workload = toWorkload(raw);
      return workload === null ? [] : encode(workload);
    },
    apply: (changed, removed) => workloads.apply(new Map([...changed, ...removed.map((key) => [key, []] as const)])),
    position: () => workloads.markWhole(),
  };
}

/**
 * Who a pod is, or null for those whose address tells nothing: it has none, shares it with its node (and with every other pod there that
 * does), or has ended and may have left it to another.
 */
export function toWorkload(pod: unknown): Workload | null {
  const [metadata, spec, status] = ["metadata", "spec", "status"].map((name) => fieldOf(pod, name));
  const [namespace, name] = [fieldOf(metadata, "namespace"), fieldOf(metadata, "name")];
  const phase = fieldOf(status, "phase");
  if (typeof namespace !== "string" || typeof name !== "string") return null;
  if (fieldOf(spec, "hostNetwork") === true || phase === "Succeeded" || phase === "Failed") return null;
  const addresses = [fieldOf(status, "podIP"), ...podIps(status)].filter((ip) => typeof ip === "string" && ip !== "");
  if (addresses.length === 0) return null;
  const labels = fieldOf(metadata, "labels");
  const serviceAccount = fieldOf(spec, "serviceAccountName");
  return {
    kind: "Workload",
    namespace,
    name,
    addresses: [...new Set(addresses.map(String))].sort(),
    // In one order: equal pods have equal bytes.
    labels: Object.entries(typeof labels === "object" && labels !== null ? labels : {})
      .map(([label, value]) => ({ name: label, value: String(value) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
    serviceAccount: typeof serviceAccount === "string" ? serviceAccount : "",
  };
}

function podIps(status: unknown): readonly unknown[] {
  const ips = fieldOf(status, "podIPs");
  return Array.isArray(ips) ? ips.map((entry) => fieldOf(entry, "ip")) : [];
}

function encode(workload: Workload): readonly NamedResource[] {
  try {
    const bytes = encodeWorkload(workload);
    return [{ name: workloadResourceName(workload), version: resourceVersion(bytes), bytes }];
  } catch (error) {
    // No API server lets such a text through. Without its workload the pod's requests are denied.
    if (error instanceof ResourceEncodeError) return [];
    throw error;
  }
}
