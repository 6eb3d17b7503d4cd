import type { RequestAttributes } from "../authz/attributes.ts";
import { ruleName } from "../authz/rule-name.ts";
import type { PreparedCondition, PreparedRule } from "../policy/rule-matcher.ts";
import { actualValue } from "./actual-value.ts";
import { expectedTexts } from "./expected-texts.ts";
import type { ConditionExplanation, GroupExplanation, RuleExplanation } from "./explanation.ts";
import { notField } from "./not-field.ts";
import type { Redactor } from "./redactor.ts";

/** Asks every condition of a rule by itself: the same tests that `matches` asks until one fails. */
export function explainRule(rule: PreparedRule, attributes: RequestAttributes, redactor: Redactor): RuleExplanation {
  const explained = (condition: PreparedCondition): ConditionExplanation =>
    explainCondition(condition, attributes, redactor);
  const groups = (parts: readonly (readonly PreparedCondition[])[]): readonly GroupExplanation[] =>
    parts.map((conditions) => toGroup(conditions.map(explained)));
  const from = groups(rule.parts.from);
  const to = groups(rule.parts.to);
  const when = rule.parts.when.map(explained);
  const matches = oneMatches(from) && oneMatches(to) && when.every(({ holds }) => holds);
  const firstFailed = closestConditions({ from, to, when }).find(({ holds }) => !holds) ?? null;
  return {
    id: ruleName(rule.ref, rule.index),
    index: rule.index,
    matches,
    decides: false,
    from,
    to,
    when,
    firstFailed,
  };
}

/** The conditions that count for a rule: of `from` and `to`, those of the entry that matches or comes closest. */
export function closestConditions({
  from,
  to,
  when,
}: Pick<RuleExplanation, "from" | "to" | "when">): readonly ConditionExplanation[] {
  return [...closestGroup(from), ...closestGroup(to), ...when];
}

function closestGroup(groups: readonly GroupExplanation[]): readonly ConditionExplanation[] {
  const failures = ({ conditions }: GroupExplanation): number => conditions.filter(({ holds }) => !holds).length;
  return groups.toSorted((a, b) => failures(a) - failures(b))[0]?.conditions ?? [];
}

function oneMatches(groups: readonly GroupExplanation[]): boolean {
  return groups.length === 0 || groups.some(({ matches }) => matches);
}

function toGroup(conditions: readonly ConditionExplanation[]): GroupExplanation {
  return { matches: conditions.every(({ holds }) => holds), conditions };
}

function explainCondition(
  { condition, test }: PreparedCondition,
  attributes: RequestAttributes,
  redactor: Redactor,
): ConditionExplanation {
  return {
    field:
      condition.values.length === 0 && condition.notValues.length > 0 ? notField(condition.field) : condition.field,
    holds: test(attributes),
    expected: {
      anyOf: expectedTexts(condition, "values", redactor),
      noneOf: expectedTexts(condition, "notValues", redactor),
    },
    actual: actualValue(condition, attributes, redactor),
  };
}
