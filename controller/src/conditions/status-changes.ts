import type { ObjectKey } from "../resources/object.ts";
import type { Condition, ConditionReason, ConditionType } from "./condition.ts";
import type { StatusForm } from "./status-form.ts";

/** A change of a condition that people may want to hear of. */
export interface StatusChange {
  readonly object: {
    readonly key: ObjectKey;
    readonly apiVersion: string;
    readonly uid: string;
    readonly resourceVersion: string;
  };
  readonly type: "Normal" | "Warning";
  /** What was done when it happened. */
  readonly action: "Translate" | "Distribute" | "FetchKeys";
  readonly reason: ConditionReason;
  readonly note: string;
}

const ACTIONS: Readonly<Record<ConditionType, StatusChange["action"]>> = {
  Accepted: "Translate",
  Programmed: "Distribute",
  KeysReady: "FetchKeys",
};

/** What is only on its way is no event. */
const PASSING: readonly ConditionReason[] = ["Pending", "NoServers"];

/**
 * What happened between two statuses. That something goes wrong is worth an event, and that it is well again; that all goes well
 * from the beginning is not.
 */
export function changesOf(
  object: StatusChange["object"],
  before: StatusForm,
  conditions: readonly Condition[],
): readonly StatusChange[] {
  return conditions.flatMap(({ type, status, reason, message }): readonly StatusChange[] => {
    const stated = before.conditions.find((condition) => condition.type === type);
    if (stated?.status === status && stated.reason === reason) return [];
    // Accepted tells that already.
    if (PASSING.includes(reason) || (type === "Programmed" && reason === "Invalid")) return [];
    if (status === "True" && stated?.status !== "False") return [];
    if (status === "True" && (stated?.reason === "Pending" || (type === "Programmed" && stated?.reason === "Invalid")))
      return [];
    return [{ object, type: status === "True" ? "Normal" : "Warning", action: ACTIONS[type], reason, note: message }];
  });
}
