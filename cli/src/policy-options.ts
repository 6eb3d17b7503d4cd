import type { ControllerOptions, MeshSettings } from "@gatehouse/controller";
import type { EvaluationSettings, PolicySettings } from "./settings.ts";

/** The policy settings as options of the controller. @param directory of Kubernetes YAML */
export function toPolicyOptions(
  directory: string,
  values: PolicySettings,
): Required<Pick<ControllerOptions, "source" | "meshConfigFile" | "settings">> {
  return {
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
}: EvaluationSettings): MeshSettings {
  return {
    routing,
    ...(unmatchedHosts === null ? {} : { unmatchedHosts }),
    strictPaths,
    keysUnavailable: keysUnavailable === "401" ? 401 : 503,
  };
}
