import type { MeshConfig, PolicyTarget, RequestAuthentication } from "@gatehouse/protos";
import { byAge } from "./age.ts";
import type { PreparedAuthorizationPolicy } from "./prepared-policy.ts";
import { RuleSet } from "./rule-set.ts";

/** The policies of one namespace with one target: they apply to the same workloads. Never empty. */
export interface PolicyGroup {
  readonly target: PolicyTarget;
  /** Oldest first. */
  readonly requestAuthentications: readonly RequestAuthentication[];
  /** In ascending `order`. */
  readonly authorizationPolicies: readonly PreparedAuthorizationPolicy[];
  /** By `slotOf`; a policy without rules counts, too. */
  readonly slots: ReadonlyMap<string, RuleSet>;
  readonly needsRawHeaders: boolean;
}

/** What a target selects by. */
export type TargetedPolicy = RequestAuthentication | PreparedAuthorizationPolicy;

/** What is different in a group. */
export interface GroupChange {
  readonly removed: ReadonlySet<TargetedPolicy>;
  readonly added: ReadonlySet<TargetedPolicy>;
}

/** Where the rules of such a policy stand: those of one slot are asked together. */
export function slotOf(policy: Pick<PreparedAuthorizationPolicy, "action" | "dryRun"> & SlotSource): string {
  const slot = policy.action === "CUSTOM" ? `${CUSTOM_SLOT}${policy.source.provider}` : policy.action;
  return policy.dryRun ? DRY_RUN + slot : slot;
}

/** How the slots of rules that are evaluated and not enforced begin. */
export const DRY_RUN = "dry-run ";

/** Whether some policy of the group is in dry-run. */
export function hasDryRun({ slots }: PolicyGroup): boolean {
  return [...slots.keys()].some((slot) => slot.startsWith(DRY_RUN));
}

interface SlotSource {
  readonly source: { readonly provider: string };
}

/** How the slots of CUSTOM rules begin; the name of their provider follows. */
export const CUSTOM_SLOT = "CUSTOM ";

/** Makes a group from what it was before. @returns undefined when nothing is left */
export function changeGroup(
  before: PolicyGroup | undefined,
  target: PolicyTarget,
  { removed, added }: GroupChange,
  mesh: MeshConfig,
): PolicyGroup | undefined {
  const requestAuthentications = [
    ...(before?.requestAuthentications ?? []).filter((policy) => !removed.has(policy)),
    ...[...added].filter((policy) => policy.kind === "RequestAuthentication"),
  ].sort(byAge);
  const news = [...added].filter((policy) => policy.kind === "AuthorizationPolicy");
  const authorizationPolicies = [
    ...(before?.authorizationPolicies ?? []).filter((policy) => !removed.has(policy)),
    ...news,
  ].sort((a, b) => a.order - b.order);
  if (requestAuthentications.length + authorizationPolicies.length === 0) return undefined;
  const gone = [...removed].filter((policy) => policy.kind === "AuthorizationPolicy");
  return {
    target,
    requestAuthentications,
    authorizationPolicies,
    slots: changeSlots(before?.slots ?? new Map(), { gone, news, left: authorizationPolicies }, mesh),
    needsRawHeaders: authorizationPolicies.some((policy) => policy.needsRawHeaders),
  };
}

interface SlotChange {
  readonly gone: readonly PreparedAuthorizationPolicy[];
  readonly news: readonly PreparedAuthorizationPolicy[];
  /** All that the group has now. */
  readonly left: readonly PreparedAuthorizationPolicy[];
}

function changeSlots(
  before: PolicyGroup["slots"],
  { gone, news, left }: SlotChange,
  mesh: MeshConfig,
): PolicyGroup["slots"] {
  const slots = new Map<string, RuleSet>();
  const removed = Map.groupBy(gone, slotOf);
  const added = Map.groupBy(news, slotOf);
  for (const slot of new Set(left.map(slotOf))) {
    const old = before.get(slot);
    const rules = (added.get(slot) ?? []).flatMap(({ rules }) => rules);
    const withoutRules = new Set((removed.get(slot) ?? []).flatMap(({ rules }) => rules));
    if (old === undefined) slots.set(slot, RuleSet.of(rules, mesh));
    else slots.set(slot, rules.length + withoutRules.size === 0 ? old : old.changed(withoutRules, rules));
  }
  return slots;
}
