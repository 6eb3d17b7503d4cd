import { resourceVersion } from "@gatehouse/protos/wire";
import { pino } from "pino";
import { Registry } from "prom-client";
import { PolicyApplier, type Verdict } from "../../authz-server/src/discovery/apply.ts";
import { PolicyState } from "../../authz-server/src/state.ts";
import { createAuthzMetrics } from "../../authz-server/src/telemetry/metrics.ts";

/** What an authz-server without policy says to these resources: applied, or refused with what a NACK would name. */
export function applyToServer(
  resources: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Promise<Verdict> {
  const applier = new PolicyApplier({
    state: new PolicyState(),
    metrics: createAuthzMetrics(new Registry(), Date.now),
    log: pino({ enabled: false }),
    nowMs: Date.now,
    onApplied: () => undefined,
  });
  const upserts = resources.map(({ name, bytes }) => ({ name, version: resourceVersion(bytes), bytes }));
  return applier.apply({ setVersion: "1", upserts, removed: [] });
}
