import type { Socket } from "node:net";
import type { Workload } from "@gatehouse/protos";
import type { PolicyChange } from "../discovery/apply.ts";
import type { HeldResource, PolicySnapshot } from "../discovery/policy-snapshot.ts";
import type { ToWorker, WorkerAnswer, WorkerSettings } from "./messages.ts";
import { type WorkerExit, WorkerProcess, type WorkerProcessOptions } from "./worker-process.ts";

/** All that a new worker has to know before it may serve. */
export interface WorkerState {
  /** null: there is no policy yet. */
  readonly snapshot: PolicySnapshot | null;
  /** There is a policy, and it may not be enforced now. */
  readonly isWithdrawn: boolean;
  readonly workloads: ReadonlyMap<string, Workload>;
}

/** Longest time for one change, or for the first of all. A worker that needs more is killed, and begins anew with the whole policy. */
const APPLY_LIMIT_MS = 60_000;

/**
 * One worker and what it knows. It gets connections from the moment when it knows all that was acknowledged; whatever keeps it from following
 * after that ends it.
 */
export class Worker {
  readonly #process: WorkerProcess;
  #isUp = false;
  #isServing = false;
  #pendingChanges = 0;
  readonly #serves = Promise.withResolvers<boolean>();

  constructor(options: WorkerProcessOptions, settings: WorkerSettings, state: WorkerState) {
    this.#process = new WorkerProcess(options);
    void this.#process.exited.then(() => this.#end()); // never rejects
    this.#process.post({ kind: "start", settings });
    // In one go: changes that come later must come behind it.
    if (state.snapshot !== null) void this.apply({ ...state.snapshot, upserts: state.snapshot.resources, removed: [] }); // never rejects
    if (state.isWithdrawn) this.withdraw();
    this.takeWorkloads(state.workloads, []);
    void this.#bringUp(); // never rejects
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get isServing(): boolean {
    return this.#isServing && !this.#process.isGone;
  }

  get connections(): number {
    return this.#process.connections;
  }

  /** Resolves when it is gone. */
  get exited(): Promise<WorkerExit> {
    return this.#process.exited;
  }

  /** Resolves with true when it serves, with false if it ended before. */
  get serves(): Promise<boolean> {
    return this.#serves.promise;
  }

  /** Resolves when it has applied the change, or is gone; never rejects. */
  async apply({ setVersion, upserts, removed }: PolicyChange): Promise<void> {
    this.#pendingChanges += 1;
    for (const resources of inPortions(upserts)) this.#process.post({ kind: "resources", resources });
    await this.#request((id) => ({ kind: "apply", id, setVersion, removed }));
    this.#pendingChanges -= 1;
    this.#serveWhenCurrent();
  }

  withdraw(): void {
    this.#process.post({ kind: "withdraw" });
  }

  takeWorkloads(changed: ReadonlyMap<string, Workload>, removed: readonly string[]): void {
    if (changed.size + removed.length > 0) this.#process.post({ kind: "workloads", changed, removed });
  }

  get hasRoom(): boolean {
    return this.#process.hasRoom;
  }

  handOver(listener: number, socket: Socket): void {
    this.#process.handOver(listener, socket);
  }

  /** @returns null when it ends before */
  async metrics(): Promise<readonly object[] | null> {
    const answer = await this.#process.request((id) => ({ kind: "metrics", id }), APPLY_LIMIT_MS);
    return answer?.kind === "metrics" ? answer.metrics : null;
  }

  /** It lets its clients go and ends. */
  drain(): void {
    this.#process.post({ kind: "drain" });
  }

  kill(why: Readonly<Record<string, unknown>>): void {
    this.#process.kill(why);
  }

  async #bringUp(): Promise<void> {
    const answer = await this.#request((id) => ({ kind: "sync", id }));
    if (answer === null) return;
    this.#isUp = true;
    this.#process.watch();
    this.#serveWhenCurrent();
  }

  /** The controller does not wait for a worker that starts, so it may serve only when it has caught up. */
  #serveWhenCurrent(): void {
    if (!this.#isUp || this.#pendingChanges > 0) return;
    this.#isServing = true;
    this.#serves.resolve(true);
  }

  #end(): void {
    this.#isUp = false;
    this.#isServing = false;
    this.#serves.resolve(false);
  }

  /** What the primary could apply a worker must be able to apply; one that can't has to begin anew. */
  async #request(toMessage: (id: number) => ToWorker): Promise<WorkerAnswer | null> {
    const answer = await this.#process.request(toMessage, APPLY_LIMIT_MS);
    if (answer?.kind !== "refused") return answer;
    this.kill({ errors: answer.errors });
    await this.#process.exited;
    return null;
  }
}

/** Bytes in one message: a worker answers checks between two of them. */
const PORTION_BYTES = 1024 * 1024;

function inPortions(resources: readonly HeldResource[]): readonly (readonly HeldResource[])[] {
  const portions: HeldResource[][] = [];
  let bytes = PORTION_BYTES;
  for (const resource of resources) {
    if (bytes >= PORTION_BYTES) {
      portions.push([]);
      bytes = 0;
    }
    portions.at(-1)?.push(resource);
    bytes += resource.bytes.length;
  }
  return portions;
}
