import type { AuthorizationPolicy } from "@gatehouse/protos";
import type { ObjectMetadata } from "../resources/object.ts";
import type { Findings } from "./report.ts";

const DRY_RUN = "istio.io/dry-run";
const PATH = `metadata.annotations[${DRY_RUN}]`;
const TRUE = ["1", "t", "T", "TRUE", "true", "True"];
const FALSE = ["0", "f", "F", "FALSE", "false", "False"];

/** Reads the annotation of an AuthorizationPolicy. What can't be understood, or isn't possible for the action, is enforced. */
export function readDryRun(
  metadata: ObjectMetadata,
  action: AuthorizationPolicy["action"],
  findings: Findings,
): boolean {
  const value = metadata.annotations[DRY_RUN];
  if (value === undefined) return false;
  const ref = `${metadata.namespace}/${metadata.name}`;
  if (!TRUE.includes(value) && !FALSE.includes(value)) {
    const cause = `strconv.ParseBool: parsing "${value}": invalid syntax`;
    findings.invalid(PATH, `${ref} has annotation ${DRY_RUN} with invalid value (${value}): ${cause}`);
    return false;
  }
  if (action === "AUDIT" || action === "CUSTOM") {
    const message = `the annotation ${DRY_RUN} currently only supports action ALLOW/DENY`;
    findings.invalid(PATH, `${message}, found action ${action} in ${ref}`);
    return false;
  }
  return TRUE.includes(value);
}

/** Reads the annotation of a document of any shape: true only where it says so clearly. */
export function isDryRun(annotations: Readonly<Record<string, unknown>>): boolean {
  const value = annotations[DRY_RUN];
  return typeof value === "string" && TRUE.includes(value);
}

/** Refuses the annotation on an object of another kind. */
export function refuseDryRun(metadata: ObjectMetadata, findings: Findings): void {
  if (metadata.annotations[DRY_RUN] === undefined) return;
  const message = `has unsupported annotation ${DRY_RUN}, please remove the annotation`;
  findings.invalid(PATH, `${metadata.namespace}/${metadata.name} ${message}`);
}
