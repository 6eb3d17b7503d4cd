import type {
  UnenforceableResources,
  UnenforceableResources__Output,
} from "./gen/gatehouse/policy/v1/UnenforceableResources.ts";
import { loadMessage } from "./message.ts";

/** Type of the `Any` in a NACK's `error_detail.details` that names what could not be enforced. */
export const UNENFORCEABLE_RESOURCES_TYPE_URL = "type.googleapis.com/gatehouse.policy.v1.UnenforceableResources";

/** One resource that a server could not enforce: its xDS name, and why, for people. */
export interface UnenforceableResource {
  readonly name: string;
  readonly reason: string;
}

const message = loadMessage<UnenforceableResources, UnenforceableResources__Output>(
  "gatehouse/policy/v1/unenforceable_resources.proto",
  "gatehouse.policy.v1.UnenforceableResources",
);

/** Writes the detail of a NACK. Odd characters in reasons, which may come from users' objects, become U+FFFD. */
export function encodeUnenforceableResources(resources: readonly UnenforceableResource[]): Uint8Array {
  return message.encode({
    resources: resources.map(({ name, reason }) => ({ name, reason: reason.toWellFormed() })),
  });
}

/** Reads the detail of a NACK. Throws an Error for bytes that are no such message. */
export function decodeUnenforceableResources(bytes: Uint8Array): readonly UnenforceableResource[] {
  return message.decode(bytes).resources.map(({ name, reason }) => ({ name, reason }));
}
