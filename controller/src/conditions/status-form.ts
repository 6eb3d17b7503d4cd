import { CONDITION_TYPES, type Condition } from "./condition.ts";

/** The status of an object as it is, read leniently. */
export interface StatusForm {
  readonly conditions: readonly StatedCondition[];
  /** Conditions of other writers, as they are. */
  readonly foreign: readonly unknown[];
  readonly observedGeneration: number;
}

/** A condition as the API server has it. */
export interface StatedCondition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  /** 0 when there is none; old schemas drop it. */
  readonly observedGeneration: number;
  readonly lastTransitionTime: string;
}

/** Reads `.status` of any shape. */
export function readStatus(status: unknown): StatusForm {
  const conditions = get(status, "conditions");
  const list: readonly unknown[] = Array.isArray(conditions) ? conditions : [];
  const isOurs = (condition: unknown) => CONDITION_TYPES.some((type) => type === get(condition, "type"));
  return {
    conditions: list.filter(isOurs).map(readCondition),
    foreign: list.filter((condition) => !isOurs(condition)),
    observedGeneration: toNumber(get(status, "observedGeneration")),
  };
}

/**
 * `.status` to apply: times of conditions that keep their status stay, and conditions of other writers are carried along, because
 * the list is replaced as a whole.
 * @param now RFC 3339, whole seconds
 */
export function toStatus(conditions: readonly Condition[], before: StatusForm, now: string): unknown {
  const stated = conditions.map((condition) => {
    const same = before.conditions.find(({ type, status }) => type === condition.type && status === condition.status);
    const { type, status, reason, message, observedGeneration } = condition;
    const lastTransitionTime = same?.lastTransitionTime || now;
    return { type, status, reason, message, observedGeneration, lastTransitionTime };
  });
  const observedGeneration = Math.min(...conditions.map((condition) => condition.observedGeneration));
  return { observedGeneration, conditions: [...stated, ...before.foreign] };
}

function readCondition(condition: unknown): StatedCondition {
  return {
    type: toText(get(condition, "type")),
    status: toText(get(condition, "status")),
    reason: toText(get(condition, "reason")),
    message: toText(get(condition, "message")),
    observedGeneration: toNumber(get(condition, "observedGeneration")),
    lastTransitionTime: toText(get(condition, "lastTransitionTime")),
  };
}

function get(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined;
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

// Istio writes generations as text: its schema allows both.
function toNumber(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : 0;
}
