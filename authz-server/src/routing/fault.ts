import type { Fault, PolicyRef } from "@gatehouse/protos";
import type { Respond } from "../decision.ts";
import type { HeaderLine } from "../http-request.ts";

/** Headers by which Envoy's fault filter delays the request, or the answer that aborts it. */
export type FaultOutcome = { readonly kind: "headers"; readonly headers: readonly HeaderLine[] } | Respond;

/** Decides for one request. @param random in [0, 1) */
export type FaultInjector = (random: () => number) => FaultOutcome;

/** Prepares the `fault` of a route; null: none. */
export function prepareFault(fault: Fault | null, ref: PolicyRef): FaultInjector | null {
  if (fault === null) return null;
  const { abort, delay } = fault;
  const delayed: FaultOutcome = {
    kind: "headers",
    headers: [{ name: "x-envoy-fault-delay-request", value: String(Math.round(delay?.delayMs ?? 0)) }],
  };
  return (random) => {
    if (abort !== null && random() * 100 < abort.percentage) {
      const body = "fault filter abort";
      return { kind: "respond", status: abort.status, headers: [], body, reason: "route_response", ref };
    }
    return delay !== null && random() * 100 < delay.percentage ? delayed : NOT_DELAYED;
  };
}

const NOT_DELAYED: FaultOutcome = { kind: "headers", headers: [] };
