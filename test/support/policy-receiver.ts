import { type PolicyResource, resourceName } from "@gatehouse/protos";
import { encodeResource, resourceVersion } from "@gatehouse/protos/wire";
import { pino } from "pino";
import { Registry } from "prom-client";
import { PolicyApplier, type PolicyChange, type Verdict } from "../../authz-server/src/discovery/apply.ts";
import type { HeldResource, PolicySnapshot } from "../../authz-server/src/discovery/policy-snapshot.ts";
import { CheckUnavailable, createCheckHandler } from "../../authz-server/src/server/check-service.ts";
import { PolicyState } from "../../authz-server/src/state.ts";
import { createAuthzMetrics } from "../../authz-server/src/telemetry/metrics.ts";
import { type CheckAnswer, type CheckInput, encodeCheck, identityOf, readAnswer } from "./check-harness.ts";

/** What a server does with the responses of a stream, without the stream: takes changes, answers checks. */
export interface PolicyReceiver {
  apply(change: PolicyChange): Promise<Verdict>;
  /** What is accepted now; null before the first change. */
  snapshot(): PolicySnapshot | null;
  /** Applies what was read from disk. */
  restore(snapshot: PolicySnapshot): Promise<Verdict>;
  /** null: no policy yet, so the call fails with UNAVAILABLE. */
  check(input?: CheckInput): Promise<CheckAnswer | null>;
  metrics(): Promise<string>;
}

/** A server that holds nothing yet. @param nowMs default the real clock */
export function createPolicyReceiver(nowMs: () => number = Date.now): PolicyReceiver {
  const state = new PolicyState();
  const registry = new Registry();
  const metrics = createAuthzMetrics(registry, nowMs);
  const log = pino({ level: "silent" });
  const applier = new PolicyApplier({ state, metrics, log, nowMs, onApplied: () => undefined });
  const handler = createCheckHandler({ state, metrics, log, nowMs });
  return {
    apply: (change) => applier.apply(change),
    snapshot: () => (applier.setVersion === null ? null : applier.snapshot()),
    restore: (snapshot) => applier.restore(snapshot),
    async check(input = {}) {
      try {
        return readAnswer(await handler(encodeCheck(input), identityOf(input), null));
      } catch (error) {
        if (error instanceof CheckUnavailable) return null;
        throw error;
      }
    },
    metrics: () => registry.metrics(),
  };
}

/** A resource as a response of the controller carries it. */
export function held(resource: PolicyResource): HeldResource {
  const bytes = encodeResource(resource);
  return { name: resourceName(resource), version: resourceVersion(bytes), bytes };
}
