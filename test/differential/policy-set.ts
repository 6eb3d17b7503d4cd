import type { HeaderLine } from "../support/raw-http.ts";

/** A workload, the objects that apply to it, and requests for it. All objects stand in namespace `foo` or in the root namespace. */
export interface PolicySet {
  /** Names the set in reports: seed and number. */
  readonly name: string;
  readonly kind: "sidecar" | "gateway";
  readonly objects: readonly PolicyObject[];
  readonly requests: readonly TestRequest[];
  /** Tokens that Gatehouse judges by a row of docs/differences.md. */
  readonly twins: readonly TokenTwin[];
}

/** A Kubernetes object, oldest first in a set. */
export interface PolicyObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Readonly<Record<string, unknown>>;
}

/** One request, written byte for byte. */
export interface TestRequest {
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly headers: readonly HeaderLine[];
  readonly sourceIp: string;
  /** What `destination.port` is for policy. */
  readonly port: number;
}

/** A token on which Gatehouse is stricter, and one to which Envoy gives the answer that Gatehouse must give to the first. */
export interface TokenTwin {
  readonly row: string;
  readonly text: string;
  readonly judgedAs: string;
}

/** MeshConfig of all sets of a batch. */
export interface MeshVariant {
  readonly pathNormalization: "NONE" | "BASE" | "MERGE_SLASHES" | "DECODE_AND_MERGE_SLASHES";
  readonly numTrustedProxies: number;
}

/** What became of a request, as far as it is compared. */
export interface Observation {
  readonly status: number;
  /** Of answers that no upstream gave. */
  readonly body: string;
  readonly headers: Lines;
  readonly upstream: ObservedUpstream | null;
}

/** What an upstream received. `name` is its cluster. For HEAD only `name` is known. */
export interface ObservedUpstream {
  readonly name: string;
  readonly method: string;
  readonly authority: string;
  readonly path: string;
  readonly headers: Lines;
}

/** Values by lower-case name, in order of arrival. */
export type Lines = Readonly<Record<string, readonly string[]>>;

/** A request that was answered differently. */
export interface Difference {
  readonly set: PolicySet;
  readonly mesh: MeshVariant;
  readonly request: TestRequest;
  /** After the rules of docs/differences.md. */
  readonly oracle: Observation;
  readonly gatehouse: Observation;
}

export const ROOT_NAMESPACE = "istio-system";

/** The services behind a gateway, by cluster name; a sidecar has its own application. */
export const SERVICES: readonly string[] = [
  "web.foo.svc.cluster.local:8000",
  "admin.foo.svc.cluster.local:8000",
  "dev.foo.svc.cluster.local:8000/v1",
];

export const APPLICATION = "workload";
