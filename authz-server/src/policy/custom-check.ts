import type { ExtensionProvider } from "@gatehouse/protos";
import { CUSTOM_SLOT, type PolicyGroup } from "./policy-group.ts";
import type { RuleSet } from "./rule-set.ts";
import { WorkloadRules } from "./workload-rules.ts";

/** The CUSTOM rules of one provider: a request that one of them matches must be allowed by it. */
export interface CustomCheck {
  /** As the policies name the provider. */
  readonly name: string;
  /** null: MeshConfig has no such provider, so what the rules match is denied. */
  readonly provider: ExtensionProvider | null;
  readonly rules: WorkloadRules;
}

/**
 * Groups CUSTOM policies by provider, in order of name (by code unit): that is the order in which they are asked.
 * @param groups those that apply to a workload
 * @param providers by name
 */
export function groupByProvider(
  groups: readonly PolicyGroup[],
  providers: ReadonlyMap<string, ExtensionProvider>,
): readonly CustomCheck[] {
  const sets = new Map<string, RuleSet[]>();
  for (const { slots } of groups) {
    for (const [slot, rules] of slots) {
      if (!slot.startsWith(CUSTOM_SLOT)) continue;
      const name = slot.slice(CUSTOM_SLOT.length);
      const own = sets.get(name);
      if (own === undefined) sets.set(name, [rules]);
      else own.push(rules);
    }
  }
  return [...sets.keys()]
    .toSorted()
    .map((name) => ({ name, provider: providers.get(name) ?? null, rules: new WorkloadRules(sets.get(name) ?? []) }));
}
