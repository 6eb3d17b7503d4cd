import { type Workload, workloadResourceName } from "../model/workload.ts";
import { ResourceDecodeError, ResourceEncodeError } from "./errors.ts";
import type { Workload as Wire, Workload__Output as WireOutput } from "./gen/gatehouse/policy/v1/Workload.ts";
import { findIllFormedText } from "./ill-formed-text.ts";
import { loadMessage } from "./message.ts";
import { readLabels, writeLabels } from "./object.ts";

/** Type of workloads in xDS: of subscriptions, responses and the `Any` of each resource. */
export const WORKLOAD_TYPE_URL = "type.googleapis.com/gatehouse.policy.v1.Workload";

const message = loadMessage<Wire, WireOutput>("gatehouse/policy/v1/workload.proto", "gatehouse.policy.v1.Workload");

/**
 * Writes a workload. The same workload gives the same bytes, in every process of this release.
 * Throws ResourceEncodeError for a text that has no faithful wire form.
 */
export function encodeWorkload(workload: Workload): Uint8Array {
  const { namespace, name, addresses, labels, serviceAccount } = workload;
  const wire: Wire = { namespace, name, addresses: [...addresses], labels: writeLabels(labels), serviceAccount };
  const path = findIllFormedText(wire);
  if (path === undefined) return message.encode(wire);
  const problem = `${workloadResourceName(workload)}: ${path.slice(1)}: holds half of a surrogate pair`;
  throw new ResourceEncodeError("ILL_FORMED_TEXT", problem);
}

/** Reads a workload. Throws ResourceDecodeError for bytes that are none, and for one without namespace or name. */
export function decodeWorkload(bytes: Uint8Array): Workload {
  const { namespace, name, addresses, labels, serviceAccount } = decodeMessage(bytes);
  if (namespace === "" || name === "") throw new ResourceDecodeError("INVALID_SHAPE", "workload: has no name");
  return { kind: "Workload", namespace, name, addresses, labels: readLabels(labels), serviceAccount };
}

function decodeMessage(bytes: Uint8Array): WireOutput {
  try {
    return message.decode(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ResourceDecodeError("MALFORMED_BYTES", `workload of ${bytes.length} bytes: ${reason}`, { cause });
  }
}
