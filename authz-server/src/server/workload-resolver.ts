import type { HttpRequest } from "../http-request.ts";
import { IDENTITY_KEYS, parseWorkload, type Workload, type WorkloadIdentity, workloadKey } from "../policy/workload.ts";
import type { CallMetadata } from "./check-service.ts";
import type { ListenerIdentity } from "./listener-identity.ts";

/** Identities and peers come from outside; this bounds what is remembered of them. */
const MAX_REMEMBERED = 10_000;

/** Finds out which workload a call is for, and remembers what each identity text means. */
export class WorkloadResolver {
  readonly #workloads = new Map<string, Workload | undefined>();
  readonly #peers = new Set<string>();

  /**
   * The identity of the listening port counts first, then `context_extensions`, then the metadata of the call.
   * @returns undefined when none of them names a workload
   */
  resolve(request: HttpRequest, metadata: CallMetadata, listener: ListenerIdentity | null): Workload | undefined {
    const identity =
      (listener === null ? undefined : listenerIdentity(listener)) ??
      readIdentity((key) => request.contextExtensions.get(key)) ??
      readIdentity((key) => metadata.get(key));
    if (identity === undefined) return undefined;
    const key = workloadKey(identity);
    if (this.#workloads.has(key)) return this.#workloads.get(key);
    if (this.#workloads.size >= MAX_REMEMBERED) this.#workloads.clear();
    const workload = parseWorkload(identity);
    this.#workloads.set(key, workload);
    return workload;
  }

  /** Whether this peer is asked about for the first time: what is wrong with it is logged once. */
  isNewPeer(peer: string): boolean {
    if (this.#peers.has(peer) || this.#peers.size >= MAX_REMEMBERED) return false;
    this.#peers.add(peer);
    return true;
  }
}

function readIdentity(get: (key: string) => string | undefined): WorkloadIdentity | undefined {
  const namespace = get(IDENTITY_KEYS.namespace);
  if (namespace === undefined) return undefined;
  return {
    namespace,
    labels: get(IDENTITY_KEYS.labels) ?? "",
    gateways: get(IDENTITY_KEYS.gateways) ?? "",
    serverPort: get(IDENTITY_KEYS.serverPort) ?? "",
  };
}

function listenerIdentity({ namespace, labels, gateways }: ListenerIdentity): WorkloadIdentity {
  const labelText = labels.map(({ name, value }) => `${name}=${value}`).join(",");
  return { namespace, labels: labelText, gateways: gateways.join(","), serverPort: "" };
}
