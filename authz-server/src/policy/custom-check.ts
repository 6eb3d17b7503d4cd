import type { ExtensionProvider } from "@gatehouse/protos";
import type { PreparedAuthorizationPolicy } from "./prepared-policy.ts";
import type { PreparedRule } from "./rule-matcher.ts";

/** The CUSTOM rules of one provider: a request that one of them matches must be allowed by it. */
export interface CustomCheck {
  /** As the policies name the provider. */
  readonly name: string;
  /** null: MeshConfig has no such provider, so what the rules match is denied. */
  readonly provider: ExtensionProvider | null;
  readonly rules: readonly PreparedRule[];
}

/**
 * Groups CUSTOM policies by provider, in order of name (by code unit): that is the order in which they are asked.
 * @param providers by name
 */
export function groupByProvider(
  policies: readonly PreparedAuthorizationPolicy[],
  providers: ReadonlyMap<string, ExtensionProvider>,
): readonly CustomCheck[] {
  const rules = new Map<string, PreparedRule[]>();
  for (const policy of policies) {
    if (policy.action !== "CUSTOM") continue;
    const name = policy.source.provider;
    const own = rules.get(name);
    if (own === undefined) rules.set(name, [...policy.rules]);
    else own.push(...policy.rules);
  }
  return [...rules.keys()]
    .toSorted()
    .map((name) => ({ name, provider: providers.get(name) ?? null, rules: rules.get(name) ?? [] }));
}
