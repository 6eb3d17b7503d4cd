import type { ControllerOptions } from "@gatehouse/controller";
import type { PolicySettings } from "./settings.ts";

/** The policy settings as options of the controller. @param directory of Kubernetes YAML */
export function toPolicyOptions(
  directory: string,
  values: PolicySettings,
): Required<Pick<ControllerOptions, "source" | "meshConfigFile" | "settings">> {
  const { routing, unmatchedHosts, strictPaths, keysUnavailable } = values;
  return {
    source: { kind: "directory", path: directory, allowPartial: values.allowPartial },
    meshConfigFile: values.meshConfig,
    settings: {
      routing,
      ...(unmatchedHosts === null ? {} : { unmatchedHosts }),
      strictPaths,
      keysUnavailable: keysUnavailable === "401" ? 401 : 503,
    },
  };
}
