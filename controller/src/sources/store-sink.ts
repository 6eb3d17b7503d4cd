import type { Logger } from "pino";
import { formatProblem, type Problem } from "../resources/object.ts";
import { fieldProblems, type ResourceStore } from "../resources/store.ts";
import type { Sink } from "./source.ts";

/** A sink that writes to the store and logs each problem once, when it appears. @param source name that the store waits for */
export function storeSink(store: ResourceStore, source: string, log: Logger): Sink {
  let reported = new Set<string>();
  return {
    upsert: (object, origin) => void store.upsert(object, origin),
    delete: (key) => void store.delete(key),
    invalid(object, origin) {
      store.invalid(object, origin);
      for (const problem of fieldProblems(object, origin)) logProblem(problem);
    },
    setProblems(problems) {
      store.setProblems(source, problems);
      const current = new Map(problems.map((problem) => [formatProblem(problem), problem]));
      for (const [text, problem] of current) if (!reported.has(text)) logProblem(problem);
      reported = new Set(current.keys());
    },
    synced() {
      store.markSynced(source);
      log.info({ source, objects: store.size }, "source synced");
    },
  };

  function logProblem(problem: Problem): void {
    log[problem.level]({ source, problem: formatProblem(problem) }, "problem in a resource");
  }
}
