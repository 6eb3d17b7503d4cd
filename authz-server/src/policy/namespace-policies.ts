import type { MeshConfig, PolicyTarget } from "@gatehouse/protos";
import { LayeredMap } from "./layered-map.ts";
import { changeGroup, type PolicyGroup, type TargetedPolicy } from "./policy-group.ts";
import type { PreparedPolicy } from "./prepared-policy.ts";
import { GATEWAY_NAME_LABEL, targets } from "./selection.ts";
import type { Workload } from "./workload.ts";

/** The policies of one namespace. Never changes; a change of policy makes a new one. */
export interface NamespacePolicies {
  /** By resource name. */
  readonly policies: LayeredMap<PreparedPolicy>;
  /** Of the next policy that is new. */
  readonly nextOrder: number;
  /** By the label (`name=value`) that a workload must have at least, then by target. */
  readonly groups: LayeredMap<ReadonlyMap<string, PolicyGroup>>;
}

/** More than any policy has rules, as far as a message can hold them. */
const ORDERS_PER_POLICY = 2 ** 20;

/** Policies sorted into groups in one step. */
const POLICIES_PER_STEP = 500;

/** @param firstOrder the rules of a namespace with a higher one come after those of one with a lower */
export function emptyNamespace(firstOrder: number): NamespacePolicies {
  return { policies: LayeredMap.empty(), nextOrder: firstOrder, groups: LayeredMap.empty() };
}

/** The groups that apply to a workload for which this namespace counts: its own, or the root namespace. */
export function groupsFor(
  { groups }: NamespacePolicies,
  namespace: string,
  workload: Workload,
): readonly PolicyGroup[] {
  const found: PolicyGroup[] = [];
  const take = (label: string): void => {
    for (const group of groups.get(label)?.values() ?? []) {
      if (targets(group.target, namespace, workload)) found.push(group);
    }
  };
  take(NO_LABEL);
  for (const [name, value] of workload.labels) take(`${name}=${value}`);
  if (workload.labels.has(GATEWAY_NAME_LABEL)) take(GATEWAY_NAME_LABEL);
  return found;
}

const NO_LABEL = "";

/** One of the labels that a workload needs. */
function labelOf(target: PolicyTarget): string {
  switch (target.kind) {
    case "namespace":
      return NO_LABEL;
    case "selector": {
      const [first] = target.matchLabels;
      return first === undefined ? NO_LABEL : `${first.name}=${first.value}`;
    }
    case "targetRefs":
      return GATEWAY_NAME_LABEL;
  }
}

/** Changes some policies of one namespace at once. */
export class NamespaceEditor {
  readonly #mesh: MeshConfig;
  readonly #before: NamespacePolicies;
  /** By resource name; undefined is deleted. */
  readonly #changes = new Map<string, PreparedPolicy | undefined>();
  readonly #removed = new Set<PreparedPolicy>();
  readonly #added = new Set<PreparedPolicy>();
  #nextOrder: number;

  constructor(before: NamespacePolicies, mesh: MeshConfig) {
    this.#before = before;
    this.#mesh = mesh;
    this.#nextOrder = before.nextOrder;
  }

  /** The `order` of a policy: the one that it has, or that of the latest. */
  orderFor(name: string): number {
    const known = this.#get(name);
    if (known?.kind === "AuthorizationPolicy") return known.order;
    const order = this.#nextOrder;
    this.#nextOrder += ORDERS_PER_POLICY;
    return order;
  }

  set(name: string, policy: PreparedPolicy): void {
    this.#forget(name);
    this.#added.add(policy);
    this.#changes.set(name, policy);
  }

  delete(name: string): void {
    this.#forget(name);
    this.#changes.set(name, undefined);
  }

  /** In short steps, between which the caller may turn to something else. */
  *result(): Generator<void, NamespacePolicies, void> {
    const groups = yield* this.#groups();
    return { policies: this.#before.policies.with(this.#changes), nextOrder: this.#nextOrder, groups };
  }

  #get(name: string): PreparedPolicy | undefined {
    return this.#changes.has(name) ? this.#changes.get(name) : this.#before.policies.get(name);
  }

  #forget(name: string): void {
    const known = this.#get(name);
    if (known !== undefined && !this.#added.delete(known)) this.#removed.add(known);
  }

  *#groups(): Generator<void, NamespacePolicies["groups"], void> {
    const changes = new Map<
      string,
      { target: PolicyTarget; removed: Set<TargetedPolicy>; added: Set<TargetedPolicy> }
    >();
    const changeOf = (policy: TargetedPolicy) => {
      const key = JSON.stringify(policy.target);
      const change = changes.get(key) ?? { target: policy.target, removed: new Set(), added: new Set() };
      changes.set(key, change);
      return change;
    };
    for (const policy of this.#removed) if (isTargeted(policy)) changeOf(policy).removed.add(policy);
    let count = 0;
    for (const policy of this.#added) {
      if (isTargeted(policy)) changeOf(policy).added.add(policy);
      if (++count % POLICIES_PER_STEP === 0) yield;
    }
    if (changes.size === 0) return this.#before.groups;
    const groups = this.#before.groups;
    const copies = new Map<string, Map<string, PolicyGroup>>();
    for (const [key, { target, ...change }] of changes) {
      const label = labelOf(target);
      const own = copies.get(label) ?? new Map(groups.get(label));
      copies.set(label, own);
      const group = changeGroup(own.get(key), target, change, this.#mesh);
      if (group === undefined) {
        own.delete(key);
      } else {
        own.set(key, group);
        yield* buildRules(group);
      }
      count += change.added.size;
      if (count >= POLICIES_PER_STEP) yield;
      count %= POLICIES_PER_STEP;
    }
    return groups.with(new Map(Array.from(copies, ([label, own]) => [label, own.size === 0 ? undefined : own])));
  }
}

/** Builds the indexes of a group that is new, as far as that takes long. */
function* buildRules({ slots }: PolicyGroup): Generator<void, void, void> {
  for (const rules of slots.values()) if (rules.isLarge) yield* rules.build();
}

function isTargeted(policy: PreparedPolicy): policy is TargetedPolicy {
  return policy.kind === "RequestAuthentication" || policy.kind === "AuthorizationPolicy";
}
