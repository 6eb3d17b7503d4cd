import type { Condition } from "./condition.ts";
import type { Coverage } from "./fleet-view.ts";
import { shortened } from "./message.ts";

/** Every connected server enforces the object. */
export function isProgrammed({ connected, enforcing, refusal }: Coverage): boolean {
  return connected > 0 && enforcing === connected && refusal === null;
}

/** Whether the connected servers enforce this generation. */
export function programmedCondition(coverage: Coverage, observedGeneration: number): Condition {
  const { connected, enforcing, refusal } = coverage;
  const count = `${enforcing}/${connected} servers enforce generation ${observedGeneration}`;
  const state = (status: Condition["status"], reason: Condition["reason"], message: string): Condition => ({
    type: "Programmed",
    status,
    reason,
    message,
    observedGeneration,
  });
  if (refusal !== null) {
    return state("False", "Refused", shortened(`${count}; ${refusal.node} refused it: ${refusal.message}`));
  }
  if (connected === 0) return state("Unknown", "NoServers", "no server is connected");
  if (isProgrammed(coverage)) return state("True", "Programmed", count);
  return state("False", "Pending", count);
}

/** Of an object that is not accepted. Whatever stands in for it is enforced, but it is not what was asked for. */
export function invalidProgrammedCondition(observedGeneration: number): Condition {
  const message = `generation ${observedGeneration} is not accepted; see the condition Accepted`;
  return { type: "Programmed", status: "False", reason: "Invalid", message, observedGeneration };
}
