import type { Logger } from "pino";
import { RESOURCE_PLURALS } from "../../conditions/resource-kinds.ts";
import type { WorkloadSet } from "../../discovery/workload-set.ts";
import type { KubernetesApi, KubernetesError } from "../../kubernetes/api.ts";
import { kindSchemas } from "../../resources/gen/schemas.ts";
import type { Problem } from "../../resources/object.ts";
import type { ObjectObserver } from "../../status/object-observer.ts";
import type { ControllerMetrics } from "../../telemetry/metrics.ts";
import type { Sink, Source } from "../source.ts";
import { createPolicyTarget } from "./policy-target.ts";
import {
  REFLECTOR_TIMES,
  Reflector,
  type ReflectorEvents,
  type ReflectorState,
  type ReflectorTimes,
} from "./reflector.ts";
import { createWorkloadTarget, PODS } from "./workload-target.ts";

export interface KubernetesSourceOptions {
  readonly api: KubernetesApi;
  readonly metrics: Pick<ControllerMetrics, "watchRestarts" | "relists" | "skippedEvents" | "massRemovals">;
  readonly log: Logger;
  /** Hears of every version of every object. Default: nobody. */
  readonly observer?: ObjectObserver;
  /** Takes the Pods; null: they are not looked at. Default: null. */
  readonly workloads?: WorkloadSet | null;
  /** Default: `REFLECTOR_TIMES`. */
  readonly times?: Partial<ReflectorTimes>;
  /** Objects in one answer. Default: 500. */
  readonly pageSize?: number;
}

/** A source that can say how each kind stands. */
export interface KubernetesSource extends Source {
  /** One state for each kind. */
  states(): readonly ReflectorState[];
}

const NAME = "kubernetes";

/** Follows all objects of our kinds at the API server, each kind by itself; it has synced when every kind has. */
export function createKubernetesSource(options: KubernetesSourceOptions): KubernetesSource {
  const { api, metrics, log, observer = null, workloads = null, pageSize = 500 } = options;
  const times = { ...REFLECTOR_TIMES, ...options.times };
  let policies: readonly Running[] = [];
  let pods: readonly Running[] = [];
  const states = () => [...policies, ...pods].map((reflector) => reflector.state());
  return {
    name: NAME,
    states,
    async start(sink, signal) {
      const report = reporter(sink, states);
      const shared = { api, times, pageSize };
      policies = kindSchemas.map(({ kind, group, versions }) => {
        const type = { kind, group, versions, plural: RESOURCE_PLURALS[kind] };
        const target = createPolicyTarget(kind, NAME, sink, observer);
        return new Reflector({ ...shared, type, target, events: eventsOf(kind, report), isMassRemovalTold: true });
      });
      if (workloads !== null) {
        const target = createWorkloadTarget(workloads);
        const events = eventsOf(PODS.kind, report);
        // Whoever scales down takes away most pods, and does nothing wrong.
        pods = [new Reflector({ ...shared, type: PODS, target, events, isMassRemovalTold: false })];
      }
      report();
      await Promise.all([...policies, ...pods].map((reflector) => reflector.run(signal)));
    },
  };

  function eventsOf(kind: string, changed: () => void): ReflectorEvents {
    return {
      relisted: () => metrics.relists.inc({ kind }),
      skipped: () => metrics.skippedEvents.inc({ kind }),
      massRemoval: () => metrics.massRemovals.inc(),
      watchBroke(error: KubernetesError) {
        metrics.watchRestarts.inc({ kind });
        log.info({ kind, reason: error.message }, "watch ended early, going on");
      },
      changed,
    };
  }
}

interface Running {
  state(): ReflectorState;
  run(signal: AbortSignal): Promise<void>;
}

/** Tells the sink what is wrong, and once that all policy has been read: that waits for no Pods. */
function reporter(sink: Sink, states: () => readonly ReflectorState[]): () => void {
  let hasSynced = false;
  let told = "[]";
  return () => {
    const problems = states().flatMap(problemsOf);
    const now = JSON.stringify(problems);
    if (now !== told) sink.setProblems(problems);
    told = now;
    const policies = states().filter(({ kind }) => kind !== PODS.kind);
    if (hasSynced || policies.length === 0 || !policies.every((state) => state.hasSynced)) return;
    hasSynced = true;
    sink.synced();
  };
}

function problemsOf({ kind, hasSynced, objects, problem, massRemoval }: ReflectorState): readonly Problem[] {
  const state = hasSynced ? `the ${objects} objects read before stay in force` : "nothing could be read yet";
  return [
    ...(problem === null ? [] : [toProblem(`${kind}: ${state}: ${problem}`)]),
    ...(massRemoval === null
      ? []
      : [
          toProblem(
            `${kind}: ${massRemoval.removed} of ${massRemoval.before} objects vanished at once; their policies are no longer enforced`,
          ),
        ]),
  ];
}

function toProblem(message: string): Problem {
  return { level: "error", where: NAME, object: null, path: "", message };
}
