import { pathReadings } from "../policy/path-readings.ts";
import type { WorkloadPolicy } from "../policy/workload-policy.ts";
import type { RequestAttributes } from "./attributes.ts";

/** The request as rules are asked about it: once, or under `strictPaths` once for each plausible reading of the path. */
export function readingsOf(policy: WorkloadPolicy, attributes: RequestAttributes): readonly RequestAttributes[] {
  if (!policy.mesh.strictPaths) return [attributes];
  return pathReadings(attributes.path).map((path) => ({ ...attributes, path }));
}
