import type { ExtensionProvider, Gateway, MeshConfig, RequestAuthentication } from "@gatehouse/protos";
import type { ImportedKeySet } from "../authn/key-set.ts";
import { inlineDelegates } from "../routing/delegates.ts";
import type { PreparedVirtualService } from "../routing/prepared-route.ts";
import type { RoutingSources } from "../routing/route-table.ts";
import type { PreparedAuthorizationPolicy, PreparedPolicy } from "./prepared-policy.ts";
import { targets } from "./selection.ts";
import type { Workload } from "./workload.ts";
import { buildWorkloadPolicy, type WorkloadPolicy } from "./workload-policy.ts";

/** A whole set of policy, immutable. */
export interface PolicySet {
  readonly mesh: MeshConfig;
  /** Namespace, then resource name. */
  readonly namespaces: ReadonlyMap<string, ReadonlyMap<string, PreparedPolicy>>;
  /** By resource name. */
  readonly keySets: ReadonlyMap<string, ImportedKeySet>;
  /** By name; the same object for as long as nothing in it changes. */
  readonly providers: ReadonlyMap<string, ExtensionProvider>;
}

/** More workloads than this in one set of policy, and the earliest is worked out again. Identities come from outside. */
const MAX_REMEMBERED_WORKLOADS = 10_000;

/** Answers which policy applies to a workload. Never changes; a change of policy makes a new one. */
export class PolicyIndex {
  readonly set: PolicySet;
  readonly #workloads = new Map<string, WorkloadPolicy>();
  #routing: RoutingSources | undefined;

  constructor(set: PolicySet) {
    this.set = set;
  }

  /** The policy of a workload; worked out at its first request, then remembered. */
  select(workload: Workload): WorkloadPolicy {
    const known = this.#workloads.get(workload.key);
    if (known !== undefined) return known;
    const policy = buildWorkloadPolicy({
      workload,
      mesh: this.set.mesh,
      keySets: this.set.keySets,
      providers: this.set.providers,
      ...this.#applicable(workload),
      routing: this.#routingSources(),
    });
    if (this.#workloads.size >= MAX_REMEMBERED_WORKLOADS) this.#workloads.clear();
    this.#workloads.set(workload.key, policy);
    return policy;
  }

  /** Istio looks into the namespace of the workload and the root namespace, no further. */
  #applicable(workload: Workload): {
    readonly requestAuthentications: readonly RequestAuthentication[];
    readonly authorizationPolicies: readonly PreparedAuthorizationPolicy[];
  } {
    const namespaces = new Set([workload.namespace, this.set.mesh.rootNamespace]);
    const requestAuthentications: RequestAuthentication[] = [];
    const authorizationPolicies: PreparedAuthorizationPolicy[] = [];
    for (const namespace of namespaces) {
      const own: RequestAuthentication[] = [];
      for (const policy of this.set.namespaces.get(namespace)?.values() ?? []) {
        if (policy.kind === "RequestAuthentication" && targets(policy.target, namespace, workload)) own.push(policy);
        if (policy.kind === "AuthorizationPolicy" && targets(policy.target, namespace, workload)) {
          authorizationPolicies.push(policy);
        }
      }
      requestAuthentications.push(...own.toSorted(byAge));
    }
    return { requestAuthentications, authorizationPolicies };
  }

  #routingSources(): RoutingSources {
    if (this.#routing !== undefined) return this.#routing;
    const gateways: Gateway[] = [];
    const virtualServices: PreparedVirtualService[] = [];
    for (const policies of this.set.namespaces.values()) {
      for (const policy of policies.values()) {
        if (policy.kind === "Gateway") gateways.push(policy);
        if (policy.kind === "VirtualService") virtualServices.push(policy);
      }
    }
    this.#routing = {
      gateways: gateways.toSorted(byAge),
      virtualServices: inlineDelegates(virtualServices.toSorted((a, b) => byAge(a.source, b.source))),
    };
    return this.#routing;
  }
}

interface Aged {
  readonly meta: { readonly createdAtMs: number; readonly name: string; readonly namespace: string };
}

/** Oldest first, then by name, then by namespace: Istio's order. */
function byAge({ meta: a }: Aged, { meta: b }: Aged): number {
  return a.createdAtMs - b.createdAtMs || compare(a.name, b.name) || compare(a.namespace, b.namespace);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
