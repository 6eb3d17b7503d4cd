import type { AuthorizationPolicy, Condition } from "@gatehouse/protos";
import type { ComparedLists, ValueList } from "./condition-lists.ts";
import type { Findings } from "./report.ts";

/** What every part of a rule needs to know about its policy. */
export interface RuleScope {
  readonly action: AuthorizationPolicy["action"];
  readonly namespace: string;
  readonly findings: Findings;
}

/** The conditions of a part of a rule. `isBroken`: something had to be left out, so they are wider than written. */
export interface TranslatedConditions {
  readonly conditions: readonly Condition[];
  readonly isBroken: boolean;
}

/** Left out altogether. */
export const BROKEN: TranslatedConditions = { conditions: [], isBroken: true };

/** One condition of these lists; none when both are empty. */
export function conditionOf<Value>(
  lists: ComparedLists<Value>,
  build: (compared: Omit<ComparedLists<Value>, "isBroken">) => Condition,
): TranslatedConditions {
  const { isBroken, ...compared } = lists;
  const isEmpty = compared.values.length === 0 && compared.notValues.length === 0;
  return { conditions: isEmpty ? [] : [build(compared)], isBroken };
}

/** The conditions of several parts, in order. */
export function allOf(parts: readonly TranslatedConditions[]): TranslatedConditions {
  return { conditions: parts.flatMap((part) => part.conditions), isBroken: parts.some((part) => part.isBroken) };
}

/** A list of a source or operation. @param path of the object that holds the field */
export function fieldList(items: readonly string[] | undefined, path: string, field: string): ValueList {
  const name = field.charAt(0).toUpperCase() + field.slice(1);
  return { items: items ?? [], path: `${path}.${field}`, name, explain: (message) => message };
}
