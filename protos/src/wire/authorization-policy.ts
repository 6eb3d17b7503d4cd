import type { AuthorizationPolicy, Condition, Rule } from "../model/authorization.ts";
import { readCondition, writeCondition } from "./condition.ts";
import { enumCodec } from "./enum-codec.ts";
import type {
  AuthorizationPolicy as Wire,
  AuthorizationPolicy__Output as WireOutput,
} from "./gen/gatehouse/policy/v1/AuthorizationPolicy.ts";
import type {
  ConditionGroup as WireGroup,
  ConditionGroup__Output as WireGroupOutput,
} from "./gen/gatehouse/policy/v1/ConditionGroup.ts";
import type { Rule as WireRule, Rule__Output as WireRuleOutput } from "./gen/gatehouse/policy/v1/Rule.ts";
import { uint32 } from "./numbers.ts";
import { readMeta, readTarget, writeMeta, writeTarget } from "./object.ts";
import { readList } from "./shape.ts";

const action = enumCodec({
  ALLOW: "ACTION_ALLOW",
  DENY: "ACTION_DENY",
  AUDIT: "ACTION_AUDIT",
  CUSTOM: "ACTION_CUSTOM",
} as const);

/** Writes an AuthorizationPolicy. */
export function writeAuthorizationPolicy(model: AuthorizationPolicy): Wire {
  return {
    meta: writeMeta(model.meta),
    target: writeTarget(model.target),
    action: action.encode(model.action),
    dryRun: model.dryRun,
    provider: model.provider,
    rules: model.rules.map(writeRule),
  };
}

/** Reads an AuthorizationPolicy. */
export function readAuthorizationPolicy(wire: WireOutput, minReaderVersion: number, path: string): AuthorizationPolicy {
  return {
    kind: "AuthorizationPolicy",
    meta: readMeta(wire.meta, minReaderVersion, `${path}.meta`),
    target: readTarget(wire.target, `${path}.target`),
    action: action.decode(wire.action, `${path}.action`),
    dryRun: wire.dryRun,
    provider: wire.provider,
    rules: readList(wire.rules, `${path}.rules`, readRule),
  };
}

function writeRule(rule: Rule): WireRule {
  return {
    index: uint32(rule.index, "rules.index"),
    from: rule.from.map(writeGroup),
    to: rule.to.map(writeGroup),
    when: rule.when.map(writeCondition),
  };
}

function readRule(wire: WireRuleOutput, path: string): Rule {
  return {
    index: wire.index,
    from: readList(wire.from, `${path}.from`, readGroup),
    to: readList(wire.to, `${path}.to`, readGroup),
    when: readList(wire.when, `${path}.when`, readCondition),
  };
}

function writeGroup(conditions: readonly Condition[]): WireGroup {
  return { conditions: conditions.map(writeCondition) };
}

function readGroup(wire: WireGroupOutput, path: string): readonly Condition[] {
  return readList(wire.conditions, path, readCondition);
}
