import type { ExtensionProvider, MeshConfig } from "@gatehouse/protos";
import type { ImportedKeySet } from "../authn/key-set.ts";
import type { RoutingSources } from "../routing/route-table.ts";
import { groupsFor, type NamespacePolicies } from "./namespace-policies.ts";
import type { PolicyGroup } from "./policy-group.ts";
import type { Workload } from "./workload.ts";
import { buildWorkloadPolicy, type WorkloadPolicy } from "./workload-policy.ts";

/** A whole set of policy, immutable. */
export interface PolicySet {
  readonly mesh: MeshConfig;
  readonly namespaces: ReadonlyMap<string, NamespacePolicies>;
  /** By resource name. */
  readonly keySets: ReadonlyMap<string, ImportedKeySet>;
  /** By name; the same object for as long as nothing in it changes. */
  readonly providers: ReadonlyMap<string, ExtensionProvider>;
  /** The same object for as long as nothing in it changes. */
  readonly routing: RoutingSources;
}

/** More workloads than this in one set of policy, and the earliest is worked out again. Identities come from outside. */
const MAX_REMEMBERED_WORKLOADS = 10_000;

/** Answers which policy applies to a workload. Never changes; a change of policy makes a new one. */
export class PolicyIndex {
  readonly set: PolicySet;
  readonly #workloads = new Map<string, WorkloadPolicy>();
  /** What was worked out under the set before this one, to be used again where nothing changed. */
  readonly #before: ReadonlyMap<string, WorkloadPolicy>;

  /** @param previous the index of the set before */
  constructor(set: PolicySet, previous: PolicyIndex | null) {
    this.set = set;
    this.#before = previous === null ? new Map() : previous.#workloads;
  }

  /** The policy of a workload; worked out at its first request, then remembered. */
  select(workload: Workload): WorkloadPolicy {
    const known = this.#workloads.get(workload.key);
    if (known !== undefined) return known;
    const { mesh, keySets, providers, routing } = this.set;
    const policy = buildWorkloadPolicy(
      { workload, mesh, keySets, providers, groups: this.#groupsFor(workload), routing },
      this.#before.get(workload.key) ?? null,
    );
    if (this.#workloads.size >= MAX_REMEMBERED_WORKLOADS) this.#workloads.clear();
    this.#workloads.set(workload.key, policy);
    return policy;
  }

  /** Istio looks into the namespace of the workload and the root namespace, no further. */
  #groupsFor(workload: Workload): readonly PolicyGroup[] {
    const namespaces = new Set([workload.namespace, this.set.mesh.rootNamespace]);
    return [...namespaces].flatMap((namespace) => {
      const policies = this.set.namespaces.get(namespace);
      return policies === undefined ? [] : groupsFor(policies, namespace, workload);
    });
  }
}
