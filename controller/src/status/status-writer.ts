import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "pino";
import type { StatusBoard } from "../conditions/status-board.ts";
import { changesOf, type StatusChange } from "../conditions/status-changes.ts";
import type { Clock } from "../jwks/clock.ts";
import { type KubernetesApi, KubernetesError } from "../kubernetes/api.ts";
import type { Leadership } from "../leader/elector.ts";
import type { ObjectKey } from "../resources/object.ts";
import type { StatusMetrics } from "../telemetry/status-metrics.ts";
import { applyStatus } from "./status-api.ts";
import { WriteQueue } from "./write-queue.ts";

/** What the writer joins. */
export interface StatusWriterOptions {
  readonly board: StatusBoard;
  readonly api: KubernetesApi;
  readonly leadership: Leadership;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly metrics: StatusMetrics;
  readonly log: Logger;
  /** A status was written that differs from the one before in more than words. */
  readonly onChange: (change: StatusChange) => void;
}

/** Objects looked at in one turn of the event loop. */
const OBJECTS_PER_TURN = 100;
const CONCURRENT = 8;
/** While something waits for time to pass. */
const TICK_MS = 100;
/** Ends well before another may lead. */
const WRITE_MS = 4_000;

/** The longest that an object waits after failures. A conflict is over as soon as the watch has told of it. */
const MAX_BACK_OFF_MS: Readonly<Record<WriteResult, number>> = {
  success: 0,
  conflict: 2_000,
  gone: 300_000,
  forbidden: 300_000,
  throttled: 60_000,
  error: 60_000,
};

type WriteResult = "success" | "conflict" | "gone" | "forbidden" | "throttled" | "error";

/** Writes the status of objects while this replica leads: what the board says, as fast as the queue lets through. */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #queue: WriteQueue;
  readonly #ending = new AbortController();
  readonly #writes = new Set<Promise<void>>();
  /** By result: the first object that failed so, until it succeeds. */
  readonly #problems = new Map<WriteResult, { readonly key: ObjectKey; readonly message: string }>();
  #wake: (() => void) | null = null;
  #isNotified = false;
  #running: Promise<void> | null = null;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#queue = new WriteQueue(options.clock.steadyMs(), options.random);
  }

  /** What keeps status from being written, one line each. */
  problems(): readonly string[] {
    return [...this.#problems.values()].map(({ message }) => message);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** The board has something to look at, or leadership changed. */
  notify(): void {
    this.#isNotified = true;
    this.#wake?.();
  }

  /** Resolves when no write is under way any more. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.notify();
    await this.#running;
    await Promise.all(this.#writes);
  }

  async #run(): Promise<void> {
    const { board, leadership, clock } = this.#options;
    while (!this.#ending.signal.aborted) {
      if (!leadership.isLeader) {
        this.#queue.clear();
        await this.#pause(null);
        continue;
      }
      board.wake(clock.steadyMs());
      this.#decideSome();
      this.#pump();
      this.#options.metrics.statusPending.set(this.#queue.size);
      this.#options.metrics.unprogrammed.set(board.unprogrammed);
      if (board.hasDirty) await nextTurn();
      else await this.#pause(board.waiting + this.#queue.size > 0 ? TICK_MS : null);
    }
  }

  #decideSome(): void {
    const { board, clock } = this.#options;
    const nowMs = clock.steadyMs();
    for (const key of board.takeDirty(OBJECTS_PER_TURN)) {
      const decision = board.decide(key, nowMs);
      if (decision.kind === "write") this.#queue.add(key, decision.isMinor);
      else this.#queue.remove(key);
    }
  }

  #pump(): void {
    const { clock } = this.#options;
    while (this.#writes.size < CONCURRENT) {
      const key = this.#queue.take(clock.steadyMs());
      if (key === null) return;
      const write = this.#write(key).finally(() => {
        this.#writes.delete(write);
        this.notify();
      });
      this.#writes.add(write);
    }
  }

  async #write(key: ObjectKey): Promise<void> {
    const { board, api, leadership, clock, metrics, onChange } = this.#options;
    const decision = board.decide(key, clock.steadyMs()); // as of now: much may have happened in the queue
    if (decision.kind !== "write" || !leadership.isLeader) return this.#queue.done(key, clock.steadyMs());
    const { object, before, conditions } = decision;
    try {
      const answer = await applyStatus(api, decision, { nowMs: clock.wallMs(), timeoutMs: WRITE_MS });
      this.#queue.done(key, clock.steadyMs());
      board.written(key, conditions, answer);
      board.touch(key);
      metrics.statusWrites.inc({ result: "success" });
      for (const [result, problem] of this.#problems) if (problem.key === key) this.#problems.delete(result);
      for (const change of changesOf(object, before, conditions)) onChange(change);
    } catch (error) {
      this.#failed(key, error);
    }
  }

  #failed(key: ObjectKey, error: unknown): void {
    const { board, clock, metrics, log } = this.#options;
    const result = classify(error);
    metrics.statusWrites.inc({ result });
    // Gone: the watch will say so. A conflict: somebody was quicker, and the watch will tell what it is now.
    const retryAfterMs = error instanceof KubernetesError ? error.retryAfterMs : null;
    this.#queue.failed(key, clock.steadyMs(), {
      isPause: result === "throttled" || result === "error",
      retryAfterMs,
      maxBackOffMs: MAX_BACK_OFF_MS[result],
    });
    board.touch(key);
    if (result === "gone" || result === "conflict") return;
    const message = `status of ${key} can't be written: ${error instanceof Error ? error.message : String(error)}`;
    if (this.#problems.has(result)) return;
    log.warn({ object: key, result, error: message }, "status can't be written; it is tried again");
    this.#problems.set(result, { key, message });
  }

  async #pause(ms: number | null): Promise<void> {
    if (!this.#isNotified && !this.#ending.signal.aborted) {
      await new Promise<void>((resolve) => {
        const cancel = ms === null ? () => {} : this.#options.clock.after(ms, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = null;
    }
    this.#isNotified = false;
  }
}

function classify(error: unknown): WriteResult {
  if (!(error instanceof KubernetesError)) return "error";
  switch (error.status) {
    case 403:
      return "forbidden";
    case 404:
      return "gone";
    case 409:
      return "conflict";
    case 429:
      return "throttled";
    default:
      return "error";
  }
}
