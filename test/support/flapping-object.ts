import { setTimeout as delay } from "node:timers/promises";
import { pino } from "pino";
import { Registry } from "prom-client";
import { SYSTEM_CLOCK } from "../../controller/src/jwks/clock.ts";
import { startObjectServer } from "../../controller/src/leader/testdata/object-server.ts";
import { StatusService } from "../../controller/src/status/status-service.ts";
import { createStatusMetrics } from "../../controller/src/telemetry/status-metrics.ts";
import { waitFor } from "./wait-for.ts";

/** What the API server got to see of an object that flaps, and of another one. */
export interface FlapOutcome {
  /** Events that were created. */
  readonly events: number;
  /** Writes of the status of the object that flaps. */
  readonly ownWrites: number;
  readonly otherWrites: number;
  /** What the status of the other object took, that came last. */
  readonly otherDelayMs: number;
}

const PATH = "/apis/security.istio.io/v1/namespaces/foo/authorizationpolicies";
const PACE_MS = 25;

/** Makes one object valid and invalid by turns, so many times, before the part of the controller that writes status. */
export async function flapObject(times: number): Promise<FlapOutcome> {
  const server = await startObjectServer();
  const service = new StatusService({
    api: await server.connect(),
    kubernetes: { namespace: "gatehouse-system", podName: "pod-0" },
    leaseName: "gatehouse-controller",
    hasChanges: () => false,
    members: () => [],
    snapshot: () => ({ ownersOf: () => [] }),
    keys: () => ({ healthOf: () => [], ownersOf: () => [] }),
    metrics: createStatusMetrics(new Registry()),
    log: pino({ level: "silent" }),
    clock: SYSTEM_CLOCK,
    random: Math.random,
    leaseTimes: { leaseMs: 3_000, renewMs: 2_000, retryMs: 100, requestMs: 900 },
  });
  const show = (name: string, generation: number, isAccepted: boolean): void => {
    const path = `${PATH}/${name}`;
    const status = server.objects.get(path)?.["status"];
    server.edit(path, { metadata: { name, namespace: "foo", uid: name, generation }, status });
    const { metadata } = server.objects.get(path) as { readonly metadata: { readonly resourceVersion: string } };
    const key = `AuthorizationPolicy/foo/${name}` as const;
    const { resourceVersion } = metadata;
    const apiVersion = "security.istio.io/v1";
    service.seen({ key, apiVersion, uid: name, generation, resourceVersion, errors: [], status });
    service.position("AuthorizationPolicy", resourceVersion);
    service.begins();
    const ref = { kind: "AuthorizationPolicy", namespace: "foo", name } as const;
    const diagnostics = isAccepted ? [] : [{ path: "spec", reason: "Invalid" as const, message: `take ${generation}` }];
    const reason = isAccepted ? ("Accepted" as const) : ("Invalid" as const);
    const reports = new Map([[key, { ref, accepted: isAccepted, reason, diagnostics }]]);
    service.ends({ reports, changed: [key], revision: generation });
  };
  const writes = (name: string) =>
    server.requests.filter(({ method, path }) => method === "PATCH" && path === `${PATH}/${name}/status`).length;
  try {
    service.start();
    await waitFor("it leads", () => service.readiness().message.startsWith("leader: yes"));
    for (let generation = 1; generation <= times; generation++) {
      show("flapping", generation, generation % 2 === 0);
      await delay(PACE_MS);
    }
    const cameAtMs = performance.now();
    show("other", 1, false);
    await waitFor("the other one is written", () => writes("other") > 0);
    const otherDelayMs = performance.now() - cameAtMs;
    const events = server.requests.filter(
      ({ method, path, body }) =>
        method === "POST" && path.endsWith("/events") && JSON.stringify(body).includes('"flapping"'),
    );
    return { events: events.length, ownWrites: writes("flapping"), otherWrites: writes("other"), otherDelayMs };
  } finally {
    await service.stop();
    await server.stop();
  }
}
