import type { Logger } from "pino";
import type { DirectoryOptions, SourceOptions } from "../config.ts";
import type { WorkloadSet } from "../discovery/workload-set.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { StartError } from "../start-error.ts";
import type { ObjectObserver } from "../status/object-observer.ts";
import type { ControllerMetrics } from "../telemetry/metrics.ts";
import { createDirectorySource, whyUnusable } from "./directory.ts";
import { createKubernetesSource } from "./kubernetes/kubernetes-source.ts";
import type { Source } from "./source.ts";

/** What sources work with. */
export interface SourceContext {
  /** Needed for the source that is the API server. */
  readonly api: KubernetesApi | null;
  readonly metrics: ControllerMetrics;
  readonly log: Logger;
  /** Hears of every version of every object of the API server; null: nobody does. */
  readonly observer: ObjectObserver | null;
  /** Takes the Pods; null: they are not looked at. */
  readonly workloads: WorkloadSet | null;
}

/** @returns the source that the options name, not started. @throws StartError when it can't be used */
export async function openSource(options: SourceOptions, context: SourceContext): Promise<Source> {
  switch (options.kind) {
    case "directory":
      return openDirectory(options, context);
    case "kubernetes":
      return openKubernetes(context);
  }
}

async function openDirectory(options: DirectoryOptions, { log, metrics }: SourceContext): Promise<Source> {
  const { path, allowPartial } = options;
  const reason = allowPartial === true ? null : await whyUnusable(path);
  // What is wrong further down is reported by the source, and keeps it from being synced.
  if (reason?.startsWith(`${path.replace(/(?<=.)\/+$/, "")}: `)) {
    throw new StartError("BAD_SOURCE", `resources directory ${reason}`);
  }
  return createDirectorySource({ ...options, log, onMassRemoval: () => metrics.massRemovals.inc() });
}

function openKubernetes({ api, observer, ...context }: SourceContext): Source {
  if (api === null) throw new StartError("BAD_OPTION", "source kubernetes: the option kubernetes is missing");
  return createKubernetesSource({ ...context, api, ...(observer === null ? {} : { observer }) });
}
