import { hostname } from "node:os";
import process from "node:process";
import type { ControllerOptions } from "@gatehouse/controller";
import { onOff, type SettingTable, text } from "./setting.ts";

/** The API server, and who we are there. */
export interface KubernetesSettings {
  /** null: the service account of the pod. */
  readonly kubeconfig: string | null;
  /** null: of the environment. */
  readonly namespace: string | null;
  /** null: of the environment. */
  readonly podName: string | null;
  readonly workloadIdentities: boolean;
  readonly status: boolean;
  readonly leaseName: string;
}

export const kubernetesSettings: SettingTable<KubernetesSettings> = {
  kubeconfig: text("Kubeconfig of the API server (default: the service account of the pod)", "FILE", null),
  namespace: text("Namespace that we run in (default: POD_NAMESPACE of the environment, else default)", "NS", null),
  podName: text("Name among the replicas (default: POD_NAME of the environment, else the host name)", "NAME", null),
  workloadIdentities: onOff("Watch Pods, for Envoys that send gatehouse-workload: auto; only with --source kubernetes"),
  status: onOff("Write no status and no events, and take no part in the election of who does", { isOnByDefault: true }),
  leaseName: text(
    "Lease of the replica that writes status; a second one has -fleet behind it",
    "NAME",
    "gatehouse-controller",
  ),
};

/** The settings as an option of the controller. */
export function toKubernetesOptions(values: KubernetesSettings): NonNullable<ControllerOptions["kubernetes"]> {
  return {
    kubeconfig: values.kubeconfig,
    namespace: values.namespace ?? fromEnvironment("POD_NAMESPACE") ?? "default",
    podName: values.podName ?? fromEnvironment("POD_NAME") ?? hostname(),
  };
}

/** Downward API variables that are empty are as good as none. */
function fromEnvironment(name: string): string | null {
  return process.env[name] || null;
}
