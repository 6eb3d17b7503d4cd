/** Who asks: the workload whose Envoy sent the request. */
export interface Workload {
  /** Equal for equal workloads; a cache key. */
  readonly key: string;
  readonly namespace: string;
  readonly labels: ReadonlyMap<string, string>;
  /** `namespace/name` of the gateways it serves, as stated; null leaves it to the selectors of the Gateways. */
  readonly gateways: readonly string[] | null;
  /** Port of the Gateway server behind the listener, as stated; null: worked out from the listener's port. */
  readonly serverPort: number | null;
}

/** The four texts by which an Envoy says who it is; empty when not given. */
export interface WorkloadIdentity {
  readonly namespace: string;
  /** `app=httpbin,version=v1` */
  readonly labels: string;
  /** `foo/httpbin-gateway,bar/other` */
  readonly gateways: string;
  readonly serverPort: string;
}

/** The metadata (or context extension) keys of these texts. */
export const IDENTITY_KEYS: { readonly [Part in keyof WorkloadIdentity]: string } = {
  namespace: "gatehouse-namespace",
  labels: "gatehouse-labels",
  gateways: "gatehouse-gateways",
  serverPort: "gatehouse-server-port",
};

/** Set to `auto`, it stands for namespace and labels: those of the pod that the request is for. */
export const AUTO_IDENTITY_KEY = "gatehouse-workload";

/** Reads an identity. @returns undefined when it names no namespace or is malformed: such a workload is never guessed at */
export function parseWorkload(identity: WorkloadIdentity): Workload | undefined {
  if (!DNS_LABEL.test(identity.namespace)) return undefined;
  const labels = parseLabels(identity.labels);
  const gateways = identity.gateways === "" ? null : splitList(identity.gateways);
  const serverPort = parsePort(identity.serverPort);
  if (labels === undefined || serverPort === undefined) return undefined;
  if (gateways !== null && !gateways.every((gateway) => GATEWAY_NAME.test(gateway))) return undefined;
  return { key: workloadKey(identity), namespace: identity.namespace, labels, gateways, serverPort };
}

/** The key of the workload that an identity describes. */
export function workloadKey({ namespace, labels, gateways, serverPort }: WorkloadIdentity): string {
  return `${namespace}\n${labels}\n${gateways}\n${serverPort}`;
}

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const GATEWAY_NAME = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;

function parseLabels(text: string): ReadonlyMap<string, string> | undefined {
  const labels = new Map<string, string>();
  for (const pair of splitList(text)) {
    const at = pair.indexOf("=");
    if (at <= 0) return undefined;
    labels.set(pair.slice(0, at).trim(), pair.slice(at + 1).trim());
  }
  return labels;
}

function parsePort(text: string): number | null | undefined {
  if (text === "") return null;
  return /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

function splitList(text: string): readonly string[] {
  return text
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
