import type { ControllerOptions, MeshSettings } from "@gatehouse/controller";
import type { EvaluationSettings, PolicySettings } from "./settings.ts";

/** The policy settings as options of the controller. @param directory of Kubernetes YAML */
export function toPolicyOptions(
  directory: string,
  values: PolicySettings,
): Required<Pick<ControllerOptions, "source" | "meshConfigFile" | "settings" | "hostOwnership" | "maxNamespaceBytes">> {
  return {
    ...toTenancyOptions(values),
    source: { kind: "directory", path: directory, allowPartial: values.allowPartial },
    meshConfigFile: values.meshConfig,
    settings: toMeshSettings(values),
  };
}

/** The settings that Istio's MeshConfig has no field for. */
export function toMeshSettings({
  routing,
  unmatchedHosts,
  strictPaths,
  keysUnavailable,
  requireExp,
}: EvaluationSettings): MeshSettings {
  return {
    routing,
    ...(unmatchedHosts === null ? {} : { unmatchedHosts }),
    strictPaths,
    keysUnavailable: keysUnavailable === "401" ? 401 : 503,
    requireExp,
  };
}

/** What tenants may do to each other. */
export function toTenancyOptions({
  hostOwnership,
  maxNamespaceBytes,
}: PolicySettings): Required<Pick<ControllerOptions, "hostOwnership" | "maxNamespaceBytes">> {
  return { hostOwnership, maxNamespaceBytes };
}
