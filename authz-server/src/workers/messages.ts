import type { Workload } from "@gatehouse/protos";
import type { AuthzServerConfig } from "../config.ts";
import type { HeldResource } from "../discovery/policy-snapshot.ts";
import type { PrepareError } from "../policy/prepare.ts";

/** What a worker has to know of the configuration. */
export interface WorkerSettings
  extends Pick<
    AuthzServerConfig,
    "listeners" | "transport" | "checkTlsDirectory" | "limits" | "drain" | "workloadIdentities"
  > {
  /** A primary that is silent for so long brings no policy any more; it pings every few seconds. */
  readonly silentAfterMs: number;
}

/** From the primary to a worker. What has an `id` is answered; what changes the policy is done in the order in which it was sent. */
export type ToWorker =
  | { readonly kind: "start"; readonly settings: WorkerSettings }
  /** Belongs to the `apply` that follows: large changes come in portions. */
  | { readonly kind: "resources"; readonly resources: readonly HeldResource[] }
  | {
      readonly kind: "apply";
      readonly id: number;
      readonly setVersion: string;
      /** Names. */
      readonly removed: readonly string[];
    }
  | { readonly kind: "withdraw" }
  | {
      readonly kind: "workloads";
      readonly changed: ReadonlyMap<string, Workload>;
      readonly removed: readonly string[];
    }
  /** Answered when all before it is done. */
  | { readonly kind: "sync"; readonly id: number }
  /** Comes with a socket, unless the client was faster in closing it. */
  | { readonly kind: "connection"; readonly id: number; readonly listener: number }
  | { readonly kind: "metrics"; readonly id: number }
  | { readonly kind: "ping"; readonly id: number }
  | { readonly kind: "drain" };

/** From a worker to the primary. */
export type FromWorker =
  | { readonly kind: "answer"; readonly id: number; readonly answer: WorkerAnswer }
  | { readonly kind: "unknownKey"; readonly keySet: string }
  /** A connection has arrived; until then the primary can give it to another. */
  | { readonly kind: "taken"; readonly id: number }
  /** A connection that was handed over has ended. */
  | { readonly kind: "closed" };

/** What a worker answers to a message with an `id`. */
export type WorkerAnswer =
  | { readonly kind: "done" }
  | { readonly kind: "refused"; readonly errors: readonly PrepareError[] }
  /** As prom-client's `getMetricsAsJSON` gives them. */
  | { readonly kind: "metrics"; readonly metrics: readonly object[] };

/** Both ends of the channel are of one build, and nobody else can write to it. */
export function isMessage<Message extends ToWorker | FromWorker>(value: unknown): value is Message {
  return typeof value === "object" && value !== null && "kind" in value;
}
