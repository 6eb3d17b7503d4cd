import type { KeySet, RequestAuthentication } from "@gatehouse/protos";
import type { RequestAuthenticationSpec } from "../resources/gen/types.ts";
import type { ObjectMetadata } from "../resources/object.ts";
import { translateJwtRule } from "./jwt-rule.ts";
import { toObjectMeta } from "./object-meta.ts";
import type { Findings, KeySource } from "./report.ts";
import { translateTarget } from "./selector.ts";

/**
 * Translates a RequestAuthentication, with the key sets that its rules refer to and the sources of those that are fetched, each once.
 * @see https://istio.io/latest/docs/reference/config/security/request_authentication/
 */
export function translateRequestAuthentication(
  metadata: ObjectMetadata,
  spec: RequestAuthenticationSpec,
  hash: (text: string) => string,
  findings: Findings,
): {
  readonly resource: RequestAuthentication;
  readonly keySets: readonly KeySet[];
  readonly keySources: readonly KeySource[];
} {
  const { target, unenforceable } = translateTarget(spec, findings);
  const rules = (spec.jwtRules ?? []).map((rule, i) => translateJwtRule(rule, `spec.jwtRules[${i}]`, hash, findings));
  const keySets = new Map(rules.map(({ keySet }) => [keySet.name, keySet]));
  return {
    resource: {
      kind: "RequestAuthentication",
      meta: toObjectMeta(metadata, unenforceable),
      target,
      jwtRules: rules.map(({ rule }) => rule),
    },
    keySets: [...keySets.values()],
    keySources: distinct(rules.flatMap(({ keySource }) => keySource ?? [])),
  };
}

/** Each source once, with the longest time that one of the rules gives it. */
function distinct(sources: readonly KeySource[]): readonly KeySource[] {
  const bySet = new Map<string, KeySource>();
  for (const source of sources) {
    const known = bySet.get(source.keySet);
    if (known === undefined || known.timeoutMs < source.timeoutMs) bySet.set(source.keySet, source);
  }
  return [...bySet.values()];
}
