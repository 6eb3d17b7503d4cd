import { type Workload, workloadResourceName } from "@gatehouse/protos";
import { decodeWorkload, resourceVersion } from "@gatehouse/protos/wire";
import type { PrepareError } from "../policy/prepare.ts";
import type { WorkloadDirectory } from "../workload-directory.ts";
import type { PolicyChange, Verdict } from "./apply.ts";
import type { ChangeApplier } from "./client.ts";

/** Hears of workloads that come, change and go. */
export type WorkloadTaker = Pick<WorkloadDirectory, "apply">;

/**
 * Keeps a directory in step with the controller. Nothing is kept on disk: after a restart without controller nobody is known, and what
 * was known of addresses may be wrong by then.
 */
export class WorkloadApplier implements ChangeApplier {
  readonly #directory: WorkloadTaker;
  readonly #versions = new Map<string, string>();
  #setVersion: string | null = null;

  constructor(directory: WorkloadTaker) {
    this.#directory = directory;
  }

  get setVersion(): string | null {
    return this.#setVersion;
  }

  versions(): ReadonlyMap<string, string> {
    return new Map(this.#versions);
  }

  /** Never rejects. All of a change is taken, or nothing. */
  apply({ setVersion, upserts, removed }: PolicyChange): Promise<Verdict> {
    const workloads = new Map<string, Workload>();
    const errors: PrepareError[] = [];
    for (const { name, version, bytes } of upserts) {
      const workload = decode(name, version, bytes);
      if (typeof workload === "string") errors.push({ resource: name, message: workload });
      else workloads.set(name, workload);
    }
    if (errors.length > 0) return Promise.resolve({ kind: "refused", errors });
    this.#directory.apply(workloads, removed);
    for (const name of removed) this.#versions.delete(name);
    for (const { name, version } of upserts) this.#versions.set(name, version);
    this.#setVersion = setVersion;
    return Promise.resolve({ kind: "applied" });
  }
}

/** @returns the workload, or what is wrong with it */
function decode(name: string, version: string, bytes: Uint8Array): Workload | string {
  if (resourceVersion(bytes) !== version) return "content does not fit its version: damaged on the way";
  try {
    const workload = decodeWorkload(bytes);
    const inside = workloadResourceName(workload);
    return inside === name ? workload : `is named ${inside} inside`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
