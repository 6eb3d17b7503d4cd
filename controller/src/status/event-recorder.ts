import type { Logger } from "pino";
import { shortened } from "../conditions/message.ts";
import { splitKey } from "../conditions/resource-kinds.ts";
import type { StatusChange } from "../conditions/status-changes.ts";
import type { Clock } from "../jwks/clock.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { microTime } from "../leader/micro-time.ts";
import type { StatusMetrics } from "../telemetry/status-metrics.ts";
import { TokenBucket } from "./token-bucket.ts";

/** What recording needs. */
export interface EventRecorderOptions {
  readonly api: KubernetesApi;
  /** `reportingInstance`: the pod. */
  readonly instance: string;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly metrics: Pick<StatusMetrics, "events">;
  readonly log: Logger;
}

/** `reportingController` of all our events. */
const CONTROLLER = "gatehouse.dev/controller";

/** Events of all objects together, and of one. What is over counts into the series of the last one like it. */
const BURST = 50;
const PER_SEC = 5;
const OBJECT_BURST = 5;
const OBJECT_PER_SEC = 1 / 60;
/** The same again within this time is one more of a series. */
const SERIES_MS = 6 * 60_000;
/** A series is written that often at most. */
const PATCH_MS = 30_000;
const MAX_OBJECTS = 2_000;
const REQUEST_MS = 5_000;
const MAX_NOTE_LENGTH = 1_000;

interface Series {
  readonly path: string;
  readonly note: string;
  count: number;
  lastMs: number;
  isPatchDue: boolean;
}

interface Regarded {
  readonly bucket: TokenBucket;
  /** By reason. */
  readonly series: Map<string, Series>;
  lastMs: number;
}

/**
 * Records events of events.k8s.io/v1, aggregated and limited: a flapping object yields a few events and a count. Nothing waits for
 * them, and one that can't be written is lost.
 */
export class EventRecorder {
  readonly #options: EventRecorderOptions;
  readonly #all: TokenBucket;
  readonly #objects = new Map<string, Regarded>();
  readonly #requests = new Set<Promise<void>>();
  readonly #ending = new AbortController();
  #hasFailed = false;

  constructor(options: EventRecorderOptions) {
    this.#options = options;
    this.#all = new TokenBucket(BURST, PER_SEC, options.clock.steadyMs());
  }

  record(change: StatusChange): void {
    const nowMs = this.#options.clock.steadyMs();
    const regarded = this.#regarded(change.object.uid, nowMs);
    const last = regarded.series.get(change.reason);
    const isLike = last !== undefined && nowMs - last.lastMs < SERIES_MS;
    const isNew = !isLike || last.note !== change.note;
    if (isNew && regarded.bucket.take(nowMs) && this.#all.take(nowMs)) this.#create(change, regarded, nowMs);
    else if (isLike) this.#again(last, nowMs);
    else this.#options.metrics.events.inc({ result: "dropped" });
  }

  #create(change: StatusChange, regarded: Regarded, nowMs: number): void {
    const event = this.#toEvent(change);
    if (event === null) return;
    const series = {
      path: `${event.path}/${event.name}`,
      note: change.note,
      count: 1,
      lastMs: nowMs,
      isPatchDue: false,
    };
    regarded.series.set(change.reason, series);
    this.#send({ method: "POST", path: event.path, body: event.body }, "created");
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#ending.abort();
    await Promise.all(this.#requests);
  }

  #again(series: Series, nowMs: number): void {
    const { clock } = this.#options;
    series.count += 1;
    series.lastMs = nowMs;
    if (series.isPatchDue) return;
    series.isPatchDue = true;
    clock.after(PATCH_MS, () => {
      series.isPatchDue = false;
      if (this.#ending.signal.aborted) return;
      const body = { series: { count: series.count, lastObservedTime: microTime(clock.wallMs()) } };
      const contentType = "application/merge-patch+json";
      this.#send({ method: "PATCH", path: series.path, body, contentType }, "aggregated");
    });
  }

  #toEvent(change: StatusChange): { readonly path: string; readonly name: string; readonly body: unknown } | null {
    const parts = splitKey(change.object.key);
    if (parts === null) return null;
    const { kind, namespace, name } = parts;
    const { apiVersion, uid, resourceVersion } = change.object;
    const suffix = Math.floor(this.#options.random() * 2 ** 48)
      .toString(16)
      .padStart(12, "0");
    const eventName = `${name.slice(0, 200)}.${suffix}`;
    const body = {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: eventName, namespace },
      eventTime: microTime(this.#options.clock.wallMs()),
      reportingController: CONTROLLER,
      reportingInstance: this.#options.instance.slice(0, 128),
      action: change.action,
      reason: change.reason,
      regarding: { apiVersion, kind, namespace, name, uid, resourceVersion },
      note: shortened(change.note, MAX_NOTE_LENGTH),
      type: change.type,
    };
    return { path: `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`, name: eventName, body };
  }

  #send(request: Parameters<KubernetesApi["request"]>[0], result: "created" | "aggregated"): void {
    const { api, metrics, log } = this.#options;
    const sent = api.request({ ...request, timeoutMs: REQUEST_MS, signal: this.#ending.signal }).then(
      () => {
        this.#hasFailed = false;
        metrics.events.inc({ result });
      },
      (error: unknown) => {
        metrics.events.inc({ result: "failed" });
        if (!this.#hasFailed && !this.#ending.signal.aborted)
          log.warn({ error: String(error) }, "event can't be written");
        this.#hasFailed = true;
      },
    );
    const tracked = sent.finally(() => this.#requests.delete(tracked));
    this.#requests.add(tracked);
  }

  #regarded(uid: string, nowMs: number): Regarded {
    if (this.#objects.size > MAX_OBJECTS) this.#forget(nowMs);
    const regarded = this.#objects.get(uid) ?? {
      bucket: new TokenBucket(OBJECT_BURST, OBJECT_PER_SEC, nowMs),
      series: new Map(),
      lastMs: nowMs,
    };
    regarded.lastMs = nowMs;
    this.#objects.set(uid, regarded);
    return regarded;
  }

  #forget(nowMs: number): void {
    for (const [uid, { lastMs }] of this.#objects) if (nowMs - lastMs > SERIES_MS) this.#objects.delete(uid);
    // Many objects within minutes: the oldest half may begin new series.
    const excess = this.#objects.size - MAX_OBJECTS / 2;
    for (const uid of [...this.#objects.keys()].slice(0, Math.max(0, excess))) this.#objects.delete(uid);
  }
}
