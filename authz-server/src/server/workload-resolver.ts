import type { HttpRequest } from "../http-request.ts";
import {
  AUTO_IDENTITY_KEY,
  IDENTITY_KEYS,
  parseWorkload,
  type Workload,
  type WorkloadIdentity,
  workloadKey,
} from "../policy/workload.ts";
import type { WorkloadLookup } from "../workload-directory.ts";
import type { CallMetadata } from "./check-service.ts";
import type { ListenerIdentity } from "./listener-identity.ts";

/** Identities and peers come from outside; this bounds what is remembered of them. */
const MAX_REMEMBERED = 10_000;

/** Finds out which workload a call is for, and remembers what each identity text means. */
export class WorkloadResolver {
  readonly #directory: WorkloadLookup | null;
  readonly #workloads = new Map<string, Workload | undefined>();
  readonly #peers = new Set<string>();

  /** @param directory of the pods; null: nobody can be found by address */
  constructor(directory: WorkloadLookup | null = null) {
    this.#directory = directory;
  }

  /**
   * The identity of the listening port counts first, then `context_extensions`, then the metadata of the call.
   * `auto` is the pod at the destination's address.
   * @returns undefined when none of them names a workload, or the first that does names one that is not known for certain
   */
  resolve(request: HttpRequest, metadata: CallMetadata, listener: ListenerIdentity | null): Workload | undefined {
    if (listener !== null) return this.#workloadOf(listenerIdentity(listener));
    if (request.contextExtensions.size > 0) {
      const identity = this.#readIdentity((key) => request.contextExtensions.get(key), request);
      if (identity !== undefined) return this.#workloadOf(identity);
    }
    if (metadata.finding instanceof StatedWorkload) return metadata.finding.workload;
    const workload = this.#workloadOf(this.#readIdentity((key) => metadata.get(key), request));
    // Without a namespace the metadata alone does not say it.
    if (metadata.finding === null && metadata.get(IDENTITY_KEYS.namespace) !== undefined) {
      metadata.finding = new StatedWorkload(workload);
    }
    return workload;
  }

  #workloadOf(identity: WorkloadIdentity | Unknown): Workload | undefined {
    if (identity === undefined || identity === "unknown") return undefined;
    const key = workloadKey(identity);
    if (this.#workloads.has(key)) return this.#workloads.get(key);
    if (this.#workloads.size >= MAX_REMEMBERED) this.#workloads.clear();
    const workload = parseWorkload(identity);
    this.#workloads.set(key, workload);
    return workload;
  }

  #readIdentity(get: (key: string) => string | undefined, request: HttpRequest): WorkloadIdentity | Unknown {
    const namespace = get(IDENTITY_KEYS.namespace);
    const gateways = get(IDENTITY_KEYS.gateways) ?? "";
    const serverPort = get(IDENTITY_KEYS.serverPort) ?? "";
    if (namespace !== undefined) return { namespace, labels: get(IDENTITY_KEYS.labels) ?? "", gateways, serverPort };
    const auto = get(AUTO_IDENTITY_KEY);
    if (auto === undefined) return undefined;
    const pod = auto === "auto" ? this.#directory?.at(request.destination.address) : undefined;
    if (pod === undefined) return "unknown";
    return { namespace: pod.namespace, labels: pod.labels, gateways, serverPort };
  }

  /** Whether this peer is asked about for the first time: what is wrong with it is logged once. */
  isNewPeer(peer: string): boolean {
    if (this.#peers.has(peer) || this.#peers.size >= MAX_REMEMBERED) return false;
    this.#peers.add(peer);
    return true;
  }
}

/** The workload that metadata names; undefined when it is malformed. */
class StatedWorkload {
  readonly workload: Workload | undefined;

  constructor(workload: Workload | undefined) {
    this.workload = workload;
  }
}

/** undefined: nothing is said. `unknown`: it is to be found out, and can't be. */
type Unknown = "unknown" | undefined;

function listenerIdentity({ namespace, labels, gateways }: ListenerIdentity): WorkloadIdentity {
  const labelText = labels.map(({ name, value }) => `${name}=${value}`).join(",");
  return { namespace, labels: labelText, gateways: gateways.join(","), serverPort: "" };
}
