import type { Fault, PolicyRef } from "@gatehouse/protos";
import type { HeaderMutation, Respond } from "../decision.ts";

/** Headers by which Envoy's fault filter delays the request, or the answer that aborts it. */
export type FaultOutcome = { readonly kind: "headers"; readonly headers: readonly HeaderMutation[] } | Respond;

const NO_FAULT: FaultOutcome = { kind: "headers", headers: [] };

/** @param random in [0, 1) */
export function injectFault(fault: Fault | null, random: () => number, ref: PolicyRef): FaultOutcome {
  if (fault === null) return NO_FAULT;
  const { abort, delay } = fault;
  if (abort !== null && random() * 100 < abort.percentage) {
    const body = "fault filter abort";
    return { kind: "respond", status: abort.status, headers: [], body, reason: "route_response", ref };
  }
  if (delay === null || random() * 100 >= delay.percentage) return NO_FAULT;
  const value = String(Math.round(delay.delayMs));
  return { kind: "headers", headers: [{ name: "x-envoy-fault-delay-request", value, append: false }] };
}
