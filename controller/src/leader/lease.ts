import { type KubernetesApi, KubernetesError } from "../kubernetes/api.ts";

/** A Lease of coordination.k8s.io/v1, read leniently: people edit them. */
export interface Lease {
  readonly resourceVersion: string;
  /** `spec.holderIdentity`; empty: nobody. */
  readonly holder: string;
  /** `spec.leaseDurationSeconds`; 0 when there is none. */
  readonly durationSec: number;
  readonly acquireTime: string;
  readonly transitions: number;
  readonly annotations: Readonly<Record<string, string>>;
  /** The whole object: what an update leaves alone is sent back as it came. */
  readonly raw: Fields;
}

/** What an update of a Lease changes. */
export interface LeaseChange {
  readonly spec?: Fields;
  readonly annotations?: Readonly<Record<string, string>>;
}

type Fields = Readonly<Record<string, unknown>>;

/** One Lease of the API server, by name. */
export interface LeaseClient {
  readonly name: string;
  /** @returns null when there is none */
  read(request: LeaseRequest): Promise<Lease | null>;
  /** @returns null when there is one already */
  create(change: LeaseChange, request: LeaseRequest): Promise<Lease | null>;
  /** @returns null when it is no longer as `lease` says, or gone */
  update(lease: Lease, change: LeaseChange, request: LeaseRequest): Promise<Lease | null>;
}

export interface LeaseRequest {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** @throws KubernetesError from each call, for every other answer */
export function createLeaseClient(api: KubernetesApi, namespace: string, name: string): LeaseClient {
  const path = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const own = `${path}/${encodeURIComponent(name)}`;
  return {
    name,
    read: (request) => unless([404], async () => readLease(await api.request({ path: own, ...request }))),
    create: (change, request) =>
      unless([409], async () => {
        const metadata = { name, namespace, annotations: change.annotations ?? {} };
        const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata, spec: change.spec ?? {} };
        return readLease(await api.request({ method: "POST", path, body, ...request }));
      }),
    update: (lease, change, request) =>
      unless([404, 409], async () =>
        readLease(await api.request({ method: "PUT", path: own, body: changed(lease, change), ...request })),
      ),
  };
}

/** Reads what the API server answered. */
function readLease(answer: unknown): Lease {
  const raw = toFields(answer);
  const metadata = toFields(raw["metadata"]);
  const spec = toFields(raw["spec"]);
  const annotations = Object.entries(toFields(metadata["annotations"])).filter(isText);
  return {
    resourceVersion: toText(metadata["resourceVersion"]),
    holder: toText(spec["holderIdentity"]),
    durationSec: toNumber(spec["leaseDurationSeconds"]),
    acquireTime: toText(spec["acquireTime"]),
    transitions: toNumber(spec["leaseTransitions"]),
    annotations: Object.fromEntries(annotations),
    raw,
  };
}

// The resourceVersion goes along, so that the API server refuses the update of anything but what was read.
function changed({ raw, annotations: before }: Lease, { spec, annotations }: LeaseChange): Fields {
  const metadata = { ...toFields(raw["metadata"]), annotations: annotations ?? before };
  return { ...raw, metadata, spec: { ...toFields(raw["spec"]), ...spec } };
}

async function unless(statuses: readonly number[], request: () => Promise<Lease>): Promise<Lease | null> {
  try {
    return await request();
  } catch (error) {
    if (error instanceof KubernetesError && error.status !== null && statuses.includes(error.status)) return null;
    throw error;
  }
}

function toFields(value: unknown): Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function toNumber(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === "string";
}
