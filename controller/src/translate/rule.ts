import type { Condition, Rule } from "@gatehouse/protos";
import type { RuleFrom, Rule as RuleSpec, RuleTo } from "../resources/gen/types.ts";
import { isEmptyOperation, translateOperation } from "./rule-operation.ts";
import { allOf, BROKEN, type RuleScope, type TranslatedConditions } from "./rule-scope.ts";
import { isEmptySource, translateSource } from "./rule-source.ts";
import { translateWhen } from "./rule-when.ts";

/**
 * Translates one rule. Whatever can't be translated fails closed: in an ALLOW policy the whole rule goes (it allows nothing), in the
 * others only the condition goes (the rule matches more).
 * @returns null when the rule is dropped
 */
export function translateRule(spec: RuleSpec | null, index: number, scope: RuleScope): Rule | null {
  if (spec === null) {
    scope.findings.invalid(`spec.rules[${index}]`, `\`rule\` must not be nil, found at rule ${index}`);
    return scope.action === "ALLOW" ? null : { index, from: [], to: [], when: [] };
  }
  const from = translateFrom(spec.from, index, scope);
  const to = translateTo(spec.to, index, scope);
  const when = allOf(
    (spec.when ?? []).map((entry, i) => translateWhen(entry, `when[${i}]`, `spec.rules[${index}].when[${i}]`, scope)),
  );
  const isBroken = from.isBroken || to.isBroken || when.isBroken;
  if (isBroken && scope.action === "ALLOW") return null;
  return { index, from: from.entries, to: to.entries, when: when.conditions };
}

/** The entries of `from` or `to`. */
interface TranslatedEntries {
  readonly entries: readonly (readonly Condition[])[];
  readonly isBroken: boolean;
}

function translateFrom(from: readonly RuleFrom[] | undefined, rule: number, scope: RuleScope): TranslatedEntries {
  const path = `spec.rules[${rule}].from`;
  if (from?.length === 0) return toEntries([refuse(path, "`from` must not be empty", rule, scope)], []);
  const entries = (from ?? []).map((entry, i) => {
    const at = `${path}[${i}]`;
    if (entry == null) return refuse(at, "`from` must not be nil", rule, scope);
    if (entry.source == null) return refuse(at, "`from.source` must not be nil", rule, scope);
    if (isEmptySource(entry.source)) return refuse(`${at}.source`, "`from.source` must not be empty", rule, scope);
    return translateSource(entry.source, `from[${i}].source`, `${at}.source`, scope);
  });
  return toEntries(entries, entries);
}

function translateTo(to: readonly RuleTo[] | undefined, rule: number, scope: RuleScope): TranslatedEntries {
  const path = `spec.rules[${rule}].to`;
  if (to?.length === 0) return toEntries([refuse(path, "`to` must not be empty", rule, scope)], []);
  const entries = (to ?? []).map((entry, i) => {
    const at = `${path}[${i}]`;
    if (entry == null) return refuse(at, "`to` must not be nil", rule, scope);
    if (entry.operation == null) return refuse(at, "`to.operation` must not be nil", rule, scope);
    const isEmpty = isEmptyOperation(entry.operation);
    if (isEmpty) return refuse(`${at}.operation`, "`to.operation` must not be empty", rule, scope);
    return translateOperation(entry.operation, `to[${i}].operation`, `${at}.operation`, scope);
  });
  return toEntries(entries, entries);
}

function toEntries(all: readonly TranslatedConditions[], kept: readonly TranslatedConditions[]): TranslatedEntries {
  return { entries: kept.map((entry) => entry.conditions), isBroken: all.some((entry) => entry.isBroken) };
}

function refuse(path: string, message: string, rule: number, scope: RuleScope): TranslatedConditions {
  scope.findings.invalid(path, `${message}, found at rule ${rule}`);
  return BROKEN;
}
